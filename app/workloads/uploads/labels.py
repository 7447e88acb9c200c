"""What a document itself says about its questions: 知识点：浮力, Topic: fractions, 难度：中, [hard], ★★, Tags: ...

A label belongs to the question that it stands in or under. Where only a few stand, each before the questions that it
is for, they are headings and hold until the next one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.documents.values import Paper, Question

Level = Literal["basic", "medium", "advanced", "challenge"]

LONGEST_TEXT = 400_000  # characters of a document that are searched for labels
LONGEST_POINT = 40
MOST_POINTS = 6
PROBES = (24, 12, 6)  # characters of a stem by which it is found in the text again: marks may stand after few words
FEWEST_PROBED = 3
WINDOW = 50_000  # characters after a stem in which the next one is looked for

_NAMES = r"""
    (?P<knowledge_points>knowledge\s+points?|key\s+skills?|skills?(?:\s+tested)?|topics?|concepts?\s+tested
        |知识点|考点|考查点|考察点|考查内容|考查知识点)
  | (?P<difficulty>difficulty(?:\s+level)?|level\s+of\s+difficulty|难度(?:系数|等级|级别)?|难易(?:度|程度))
  | (?P<tags>tags?|标签)
"""
# Spaces are counted: a pattern that takes any number of them in two places looks at each of them many times.
_HEAD = re.compile(
    rf"""(?:^|(?<=[.。？?！!）)\]】;；])|(?<=[ ]{{2}}))[ \t]{{0,8}}(?:[-*•][ ])?
        (?:(?P<open>[【\[（(])[ ]?)?(?:{_NAMES})[ ]?(?:[】\]][ ]?[:：]?|[）)]?[ ]?[:：])[ \t]{{0,8}}""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_MARK = re.compile(
    r"""[【\[（(][ ]*(?P<word>very\ hard|easy|basic|simple|medium|moderate|intermediate|hard|difficult|advanced
        |challenge|challenging|expert|olympiad|容易|简单|基础|基础题|较易|易|中等|中等题|中档|中|较难|偏难|困难|难|难题|拔高|拔高题|压轴|压轴题|挑战|挑战题)
        [ ]*[】\]）)] | (?P<stars>[★⭐]+)[☆]*""",
    re.IGNORECASE | re.VERBOSE,
)
_LEVELS: dict[Level, tuple[str, ...]] = {
    "challenge": (
        "very hard",
        "challenge",
        "challenging",
        "expert",
        "olympiad",
        "压轴",
        "挑战",
        "竞赛",
        "极难",
        "很难",
    ),
    "basic": ("easy", "basic", "simple", "foundation", "low", "容易", "较易", "简单", "基础", "基本", "入门", "易"),
    "medium": ("medium", "moderate", "intermediate", "average", "中等", "中档", "适中", "一般", "中"),
    "advanced": ("hard", "difficult", "advanced", "high", "较难", "偏难", "困难", "拔高", "难"),
}
_BY_STARS: tuple[Level, ...] = ("basic", "medium", "advanced", "challenge", "challenge")
_BY_SHARE: tuple[tuple[float, Level], ...] = ((0.7, "basic"), (0.5, "medium"), (0.3, "advanced"), (0.0, "challenge"))
_SEPARATORS = re.compile(r"[,，、;；|/]")
_CLOSERS = {"【": "】", "[": "]", "（": "）", "(": ")"}


@dataclass(frozen=True, slots=True)
class Said:
    """What the document says about one question."""

    stem: str  # without the labels
    excerpt: str  # its part of the document as it stands there; empty where that is not known
    knowledge_points: tuple[str, ...] = ()
    difficulty: Level | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Label:
    name: str
    value: str
    start: int
    end: int


def said_of(paper: Paper) -> list[Said]:
    """What is said of each question, in their order."""
    text = paper.text[:LONGEST_TEXT]
    starts = _starts(text, paper.questions)
    labels = _labels(text)
    spans = _spans(starts, len(text))
    return [
        _with_heading(_said(question, text, span, labels), heading)
        for question, span, heading in zip(paper.questions, spans, _headings(labels, starts), strict=True)
    ]


def before_questions(paper: Paper) -> str:
    """The lines above the first question: the title, and what the document says about itself."""
    text = paper.text[:LONGEST_TEXT]
    first = next((start for start in _starts(text, paper.questions) if start is not None), None)
    return "" if first is None else text[: text.rfind("\n", 0, first) + 1]


def level_of(value: str) -> Level | None:
    """The level that a word, stars, a share of right answers (0.65) or a number of 1 to 5 means."""
    value = value.strip().lower()
    if stars := re.match(r"[★⭐]+", value):
        return _BY_STARS[min(len(stars.group()), len(_BY_STARS)) - 1]
    if number := re.fullmatch(r"(\d(?:\.\d+)?)\s*(?:/\s*5)?", value):
        figure = float(number.group(1))
        if 0 < figure < 1:
            return next(level for least, level in _BY_SHARE if figure >= least)
        return _BY_STARS[int(figure) - 1] if 1 <= figure <= len(_BY_STARS) else None
    return next((level for level, words in _LEVELS.items() if any(word in value for word in words)), None)


def points_in(value: str) -> tuple[str, ...]:
    """The knowledge points that a label lists; none where it holds a sentence."""
    parts = [" ".join(part.split()).strip(" .。：:") for part in _SEPARATORS.split(value)]
    named = [part for part in parts if part]
    if any(len(part) > LONGEST_POINT or part.endswith(("?", "？")) for part in named):
        return ()
    return tuple(dict.fromkeys(named))[:MOST_POINTS]


def _said(question: Question, text: str, span: tuple[int, int], labels: Sequence[_Label]) -> Said:
    under = [label for label in labels if span[0] <= label.start < span[1]]
    own = [*_labels(question.stem), *under, *_labels(question.solution or "")]
    values: dict[str, str] = {}
    for label in own:
        if not (label.name == "knowledge_points" and question.type == "essay"):  # an essay's topic is its task
            values.setdefault(label.name, label.value)
    mark = _MARK.search(question.stem)
    stated = values.get("difficulty") or (mark.group("word") or mark.group("stars") if mark else "")
    return Said(
        stem=question.stem if question.type == "essay" else without_labels(question.stem),
        excerpt=text[slice(*span)].strip(),
        knowledge_points=points_in(values.get("knowledge_points", "")),
        difficulty=level_of(stated) if stated else None,
        tags=points_in(values.get("tags", "")),
    )


def without_labels(stem: str) -> str:
    """The question alone. What is all label stays as it is."""
    bare = _MARK.sub(" ", unlabelled(stem)).strip()
    return "\n".join(" ".join(line.split()) for line in bare.split("\n") if line.strip()) or stem


def unlabelled(text: str) -> str:
    """An answer or a solution without the labels that followed it."""
    for label in reversed(_labels(text)):
        text = text[: label.start].rstrip() + text[label.end :]
    return text.strip()


def _labels(text: str) -> list[_Label]:
    heads = list(_HEAD.finditer(text))
    found = []
    for at, head in enumerate(heads):
        limit = heads[at + 1].start() if at + 1 < len(heads) else len(text)
        line_end = text.find("\n", head.end())
        end = min(limit, len(text) if line_end < 0 else line_end)
        name = next(name for name in ("knowledge_points", "difficulty", "tags") if head[name])
        value = text[head.end() : end].strip()
        if head["open"] and value.endswith(_CLOSERS[head["open"]]):
            value = value[:-1].strip()
        if value:
            found.append(_Label(name, value, head.start(), end))
    return found


def _spans(starts: Sequence[int | None], end: int) -> list[tuple[int, int]]:
    """Where each question stands; nowhere, where its end is not known: what is there could be another question's."""
    return [
        (start, after) if start is not None and after is not None else (0, 0)
        for start, after in zip(starts, [*starts[1:], end], strict=True)
    ]


def _headings(labels: Sequence[_Label], starts: Sequence[int | None]) -> list[tuple[str, ...]]:
    """For each question the points of the heading that it stands under."""
    points = [label for label in labels if label.name == "knowledge_points"]
    known = [start for start in starts if start is not None]
    few = len(points) * 2 <= len(starts)
    if not points or not known or points[0].start > known[0] or not few:
        return [()] * len(starts)
    found: list[tuple[str, ...]] = []
    for start in starts:
        above = [label for label in points if start is not None and label.start < start]
        found.append(points_in(above[-1].value) if above else ())
    return found


def _with_heading(said: Said, heading: tuple[str, ...]) -> Said:
    return replace(said, knowledge_points=heading) if heading else said


def _starts(text: str, questions: Sequence[Question]) -> list[int | None]:
    """Where each stem begins in the document's text; spaces and the width of letters do not count."""
    flat, places = _flat(text)
    found: list[int | None] = []
    at = 0
    for question in questions:
        here = _find(flat, _flat(question.stem.partition("\n")[0])[0], at)
        found.append(places[here] if here >= 0 else None)
        at = max(at, here + 1)
    return found


def _find(flat: str, stem: str, at: int) -> int:
    tries = (flat.find(stem[:probe], at, at + WINDOW) for probe in PROBES if len(stem) >= FEWEST_PROBED)
    return next((here for here in tries if here >= 0), -1)


def _flat(text: str) -> tuple[str, list[int]]:
    characters: list[str] = []
    places: list[int] = []
    for at, character in enumerate(text):
        for plain in unicodedata.normalize("NFKC", character).casefold():
            if not plain.isspace():
                characters.append(plain)
                places.append(at)
    return "".join(characters), places
