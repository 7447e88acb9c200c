"""Papers put together from the bank: which questions, in which style, and what a perfect reader finds in them.

A style says how numbers, options, marks and answers are written. Nothing here knows how the parser works.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from tests.corpus.documents.bank import BANKS, Item

LETTERS = "ABCDEFGH"
CHINESE_NUMBERS = "一二三四五六七八九十"
HEADINGS = {
    "en": {
        "single": "Multiple Choice", "multiple": "Multiple Answers", "true_false": "True or False", "blank": "Fill in the Blanks",
        "short": "Short Answer Questions", "calculation": "Calculations", "essay": "Essay",
    },
    "zh": {
        "single": "单项选择题", "multiple": "多项选择题", "true_false": "判断题", "blank": "填空题", "short": "简答题",
        "calculation": "计算题", "essay": "作文",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    language: str = "en"
    number: str = "{}. "
    option: str = "{}. "
    options: str = "stacked"  # stacked, row, grid
    points: str = " ({} points)"  # after the stem; empty: nowhere
    leading: bool = False  # marks before the stem instead of after it
    each: str = ""  # marks in the section's heading instead
    part: str = "({}) "
    sections: str = "named"  # named, lettered, chinese, none
    answers: str = "none"  # none, inline, key, runs
    answer: str = "Answer: {}"
    solution: str = "Explanation: {}"
    key: str = "Answer Key"
    furniture: bool = False


@dataclass(frozen=True)
class Truth:
    question_id: str
    type: str
    stem: str
    options: tuple[str, ...]
    answer: str | None
    max_score: float | None
    context: str | None = None


@dataclass(frozen=True)
class Row:
    """One paragraph of a paper; kind: title, heading, stem, options, part, answer, key."""

    kind: str
    text: str


@dataclass
class Paper:
    name: str
    style: Style
    title: str
    rows: list[Row] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)


def make_paper(name: str, style: Style, seed: int, counts: dict[str, int]) -> Paper:
    chosen = random.Random(seed)
    bank = BANKS[style.language]
    title = "Grade 8 Science and General Knowledge Test" if style.language == "en" else "八年级第一学期期中考试试卷"
    paper = Paper(name, style, title, [Row("title", title)])
    key: list[Row] = []
    number = 0
    for index, (kind, count) in enumerate(counts.items()):
        items = chosen.sample(bank[kind], min(count, len(bank[kind])))
        if style.each:
            items = [replace(item, points=items[0].points) for item in items]
        each = style.each.format(items[0].points) if style.each else ""
        paper.rows += _heading(style, index, kind, len(items), each)
        first = number + 1
        for item in items:
            number += 1
            _write(paper, item, number, key)
        _close_key(paper, key, kind, index=index, first=first, last=number)
    if key:
        paper.rows += [Row("heading", style.key), *key]
    return paper


def _heading(style: Style, index: int, kind: str, count: int, each: str) -> list[Row]:
    name = HEADINGS[style.language][kind]
    if style.sections == "none":
        return []
    if style.sections == "chinese":
        mark = f"{CHINESE_NUMBERS[index]}、{name}"
        return [Row("heading", f"{mark}（本大题共{count}小题{each}）" if each else mark)]
    lead = f"Section {LETTERS[index]}: " if style.sections == "lettered" else ""
    return [Row("heading", f"{lead}{name}{each}")]


def _write(paper: Paper, item: Item, number: int, key: list[Row]) -> None:
    style = paper.style
    mark = style.number.format(number)
    points = "" if style.each or item.parts or not style.points else style.points.format(item.points)
    stem = f"{points.strip()}{item.stem}" if style.leading and style.language == "zh" else item.stem + points
    if style.leading and style.language == "en":
        stem = f"{points.strip()} {item.stem}"
    paper.rows.append(Row("stem", mark + stem))
    if item.parts:
        _write_parts(paper, item, number, key)
        return
    paper.rows += _options(style, item.options)
    answer = item.answer or None
    told = style.answers != "none"
    if style.answers == "inline" and answer:
        paper.rows.append(Row("answer", style.answer.format(answer)))
        if item.solution:
            paper.rows.append(Row("answer", style.solution.format(item.solution)))
    elif told and answer:
        key.append(Row("key", f"{style.number.format(number)}{answer}"))
    stated = float(item.points) if points or style.each else None
    paper.truth.append(Truth(f"Q{number}", item.type, item.stem, item.options, answer if told else None, stated))


def _write_parts(paper: Paper, item: Item, number: int, key: list[Row]) -> None:
    style = paper.style
    for index, part in enumerate(item.parts):
        label = LETTERS[index].lower() if style.language == "en" else str(index + 1)
        points = style.points.format(part.points) if style.points else ""
        paper.rows.append(Row("part", style.part.format(label) + part.stem + points))
        if style.answers == "inline":
            paper.rows.append(Row("answer", style.answer.format(part.answer)))
        elif style.answers != "none":
            key.append(Row("key", f"{number}({label}) {part.answer}"))
        name = f"Q{number}{label}" if style.language == "en" else f"Q{number}({label})"
        answer = part.answer if style.answers != "none" else None
        stated = float(part.points) if points else None
        paper.truth.append(Truth(name, part.type, part.stem, (), answer, stated, item.stem))


def _options(style: Style, options: tuple[str, ...]) -> list[Row]:
    texts = [style.option.format(LETTERS[index]) + text for index, text in enumerate(options)]
    if not texts:
        return []
    if style.options == "row" and sum(map(len, texts)) <= 64:
        return [Row("options", "     ".join(texts))]
    if style.options == "grid":
        pairs = [texts[at : at + 2] for at in range(0, len(texts), 2)]
        return [Row("options", "          ".join(pair)) for pair in pairs]
    return [Row("options", text) for text in texts]


def _close_key(paper: Paper, key: list[Row], kind: str, *, index: int, first: int, last: int) -> None:
    """Choices as a run (1-5 ABCDA), where the style says so."""
    if paper.style.answers != "runs" or kind != "single" or last <= first:
        return
    answers = "".join(truth.answer or "" for truth in paper.truth if truth.type == "single")
    for _ in range(last - first + 1):
        key.pop()
    separator = "-" if paper.style.language == "en" else "～"
    lead = f"{CHINESE_NUMBERS[index]}、" if paper.style.sections == "chinese" else ""
    key.append(Row("key", f"{lead}{first}{separator}{last} {answers}"))


ALL = {"single": 5, "multiple": 2, "true_false": 2, "blank": 2, "short": 2, "calculation": 3, "essay": 1}
CHOICES = {"single": 6, "multiple": 2}
MIXED = {"single": 3, "blank": 2, "short": 2, "calculation": 4}
STYLES = {
    "plain": Style(),
    "closed": Style(number="{}) ", option="{}) ", points=" [{} marks]", answers="key", sections="lettered"),
    "worded": Style(number="Question {}: ", option="({}) ", options="grid", points=" ({} pts)", answers="inline", furniture=True),
    "q": Style(number="Q{}. ", option="{}. ", options="row", points=" [{} points]", answers="runs", sections="lettered"),
    "each": Style(option="{}) ", options="row", points="", each=" ({} points each)", sections="lettered", answers="inline"),
    "bare": Style(points="", sections="none", answers="key", options="grid", part="{}) "),
    "exam": Style(number="{}. ", option="({}) ", leading=True, points="({} points)", answers="inline", answer="Ans: {}", solution="Solution: {}"),
    "zh_plain": Style("zh", "{}. ", "{}. ", "stacked", "（{}分）", part="（{}）", sections="chinese"),
    "zh_row": Style("zh", "{}．", "{}．", "row", "", each="，每小题{}分", part="（{}）", sections="chinese", answers="runs", key="参考答案"),
    "zh_comma": Style("zh", "{}、", "{}、", "grid", "（{}分）", leading=True, part="({})", sections="chinese", answers="key", key="参考答案及评分标准"),
    "zh_inline": Style("zh", "{}. ", "{}. ", "row", "（{}分）", part="（{}）", sections="none", answers="inline", answer="【答案】{}",
                       solution="【解析】{}", furniture=True),
    "zh_word": Style("zh", "第{}题 ", "{}. ", "grid", "（{}分）", part="（{}）", sections="chinese", answers="inline", answer="答案：{}",
                     solution="解析：{}"),
}  # fmt: skip
