"""Requirements that the document itself answers: its title, what stands above the questions, labels such as 易错点：

Nothing here is a guess. What the document does not say is left to the teacher.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from app.documents.values import Paper
from app.kit.words import language_of
from app.workloads.assignment.fields import class_level_of, each_once, preferences_of
from app.workloads.assignment.service.requirements import FEWEST_CONCEPTS, MOST_CONCEPTS
from app.workloads.uploads.knowledge import Known, most_frequent
from app.workloads.uploads.labels import LONGEST_TEXT, before_questions, points_in
from app.workloads.uploads.lexicon import NAMES, Subject, terms_in

LONGEST_NAME = 100
FEWEST_TERMS = 2  # of one subject, and at most half as many of all others, before they name it
HOUR = 60
LONGEST_DURATION = 600
MOST_LINES = 12
LONGEST_LINE = 500
OF_THE_HEAD = {"subject", "topic", "grade_level", "duration_minutes"}  # further down such words mean something else

_SUBJECTS: tuple[tuple[Subject, str], ...] = (
    ("mathematics", r"\bmath(?:s|ematics)?\b|\balgebra\b|\bgeometry\b|数学"),
    ("physics", r"\bphysics\b|物理"),
    ("chemistry", r"\bchemistry\b|化学"),
    ("biology", r"\bbiology\b|生物"),
    ("geography", r"\bgeography\b|地理"),
    ("history", r"\bhistory\b|历史"),
    ("science", r"\bscience\b|科学"),
    ("computing", r"\bcomput(?:ing|er\s+science)\b|信息(?:技术|科技)"),
    ("politics", r"\bpolitics\b|\bcivics\b|道德与法治|思想政治|政治"),
    ("chinese", r"语文"),
    ("english", r"\bEnglish\b|英语"),
)
_GRADE = re.compile(
    r"\b(?:grade|year|form)\s+(?:1[0-3]|[1-9])\b|\b(?:1[0-2]|[1-9])(?:st|nd|rd|th)[\s-]+grade\b|\bkindergarten\b"
    r"|(?:小学|初中|高中)?[一二三四五六七八九]年级|初[一二三](?!次)|高[一二三](?!次)|大[一二三四](?=学|上|下|年级)",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"(?P<hours>\d(?:\.\d)?)\s*(?:hours?|hrs?\.?|h\b|个?小时)(?:\s*(?:and\s+)?(?P<rest>\d{1,2})\s*(?:minutes?|mins?\.?|分钟?))?"
    r"|(?P<minutes>\d{1,3})\s*(?:minutes?|mins?\b\.?|分钟)",
    re.IGNORECASE,
)
_CHAPTER = re.compile(
    r"^[^\w\n]{0,12}(?:(?:unit|chapter|lesson|topic|module)\s+\d{1,2}|第[一二三四五六七八九十\d]{1,3}(?:单元|章|节|课))[\s:：.、-]+(?P<name>\S.{1,80})$",
    re.IGNORECASE | re.MULTILINE,
)
_TITLE_WORDS = re.compile(
    r"\b(?:homework|home\s*work|assignment|worksheet|exercises?|practice|questions?|problems?|quiz|test|exam(?:ination)?|paper"
    r"|term|semester|week|unit|chapter|lesson|class|set|sheet|review|name|date|the|on|for|and|of|in|no|answers?|key|with|midterm|final|general"
    r"|knowledge|first|second|a)\b|课后|课时|课堂|同步|单元|专题|家庭|寒假|暑假|作业|练习[题卷册]?|习题|测试[题卷]?|测验|试[题卷]|检测|考试|复习"
    r"|第?[一二上下]学期|第[一二三四五六七八九十\d]+[章节课周次单元]*|期[中末]|答案|及|与答案|\d+|[^\w\s]|_",
    re.IGNORECASE,
)
_LABELS: dict[str, str] = {
    "subject": r"subject|学科|科目",
    "topic": r"(?:lesson\s+)?topics?|theme|(?:本节课?)?主题|课题",
    "grade_level": r"grade(?:\s+level)?|year\s+group|年级|学段|适用年级",
    "class_level": r"class\s+level|level\s+of\s+the\s+class|班级(?:整体)?水平",
    "core_concepts": r"(?:core|key)\s+(?:concepts?|ideas?|terms?)|核心(?:概念|知识)|重点知识",
    "typical_problem": r"typical\s+(?:problem|question|example)|worked\s+example|典型(?:例题|题型|题)|例题",
    "misconceptions": r"(?:common\s+)?(?:misconceptions?|mistakes|errors|pitfalls)|易错点|易混点|常见错误|易错易混点",
    "duration_minutes": r"(?:suggested\s+|recommended\s+)?(?:time(?:\s+(?:allowed|limit))?|duration)"
    r"|(?:作业|考试|完成|建议)?(?:时间|时长|用时)",
    "preferences": r"(?:assignment\s+)?preferences?|作业偏好",
    "extra_constraints": r"(?:extra\s+)?constraints?|additional\s+requirements?|额外(?:限制|要求)|其他要求|作答要求",
}
_HEADS = {
    name: re.compile(
        rf"^[^\w\n]{{0,12}}(?:{words})\s*(?:[】\]]\s*[:：]?|[:：])[ \t]*(?P<value>.*)$", re.IGNORECASE | re.MULTILINE
    )
    for name, words in _LABELS.items()
}
_ANY_HEAD = re.compile(rf"^\W*(?:{'|'.join(_LABELS.values())})\s*[】\]:：]", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•·]|[（(]?\d{1,2}[.．、)）]|[①-⑳])\s*")


def requirements_of(paper: Paper, known: Sequence[Known]) -> dict[str, Any]:
    """The requirements that could be read; the others are missing from the answer."""
    text = paper.text[:LONGEST_TEXT]
    head = f"{paper.title or ''}\n{before_questions(paper)}"
    said = {name: value for name in _LABELS if (value := _labelled(name, head if name in OF_THE_HEAD else text))}
    read = {
        "subject": said.get("subject") or _subject(head, text, paper),
        "topic": said.get("topic") or _topic(head, paper.title),
        "grade_level": said.get("grade_level") or _first(_GRADE, head),
        "class_level": class_level_of(said.get("class_level")),
        "core_concepts": list(points_in(said.get("core_concepts", ""))) or _concepts(known),
        "typical_problem": said.get("typical_problem") or _typical(paper, known),
        "misconceptions": _listed("misconceptions", text),
        "duration_minutes": _minutes(said.get("duration_minutes", "")) or _minutes(head),
        "preferences": _letters(said.get("preferences", "")),
        "extra_constraints": said.get("extra_constraints"),
    }
    return {name: value for name, value in read.items() if value and _is_kept(name, value)}


def _is_kept(name: str, value: Any) -> bool:
    if name == "class_level":
        return value in ("weak", "medium", "strong", "mixed")
    return name == "typical_problem" or not isinstance(value, str) or len(value) <= LONGEST_NAME


def _labelled(name: str, text: str) -> str | None:
    found = _HEADS[name].search(text)
    value = " ".join(found["value"].split()).strip(" []【】") if found else ""
    return re.split(r"\s{3,}|\t|　　", value)[0].strip() or None


def _listed(name: str, text: str) -> list[str]:
    """What stands behind the label, or on the lines below it, one each."""
    found = _HEADS[name].search(text)
    if found is None:
        return []
    if found["value"].strip():
        parts = (part.strip(" .。")[:LONGEST_LINE] for part in re.split(r"[;；]", found["value"]))
        return [part for part in parts if part][:MOST_LINES]
    lines: list[str] = []
    for line in text[found.end() :].split("\n")[1 : MOST_LINES + 1]:
        if not _BULLET.match(line) or _ANY_HEAD.match(line):
            break
        lines.append(_BULLET.sub("", line).strip()[:LONGEST_LINE])
    return [line for line in lines if line]


def _subject(head: str, text: str, paper: Paper) -> str | None:
    """By its name in the head; else by terms of the curriculum, where those of one subject prevail."""
    language = language_of(text)
    for subject, words in _SUBJECTS:
        if re.search(words, head, re.IGNORECASE):
            return _name(subject, language)
    counts = Counter(term.subject for question in paper.questions for term in terms_in(question.stem))
    for subject, count in counts.most_common(1):
        if count >= FEWEST_TERMS and (counts.total() - count) * 2 <= count:
            return _name(subject, language)
    return None


def _name(subject: Subject, language: str) -> str:
    return NAMES[subject][language == "zh"]


def _topic(head: str, title: str | None) -> str | None:
    """A chapter's name, what stands in 《》, or what is left of the title without the words of all titles."""
    if chapter := _CHAPTER.search(head):
        return _without_sort(chapter["name"]) or None
    if quoted := re.search(r"《([^》]{2,40})》", head):
        return quoted.group(1)
    return _without_sort(title or "") or None


def _without_sort(name: str) -> str:
    bare = _DURATION.sub(" ", _GRADE.sub(" ", name))
    for _, words in _SUBJECTS:
        bare = re.sub(words, " ", bare, flags=re.IGNORECASE)
    left = _TITLE_WORDS.sub(" ", bare).split()
    if not left:
        return ""
    # As it is written, from the first word that says something to the last: "Forces and motion".
    begin, end = name.find(left[0]), name.rfind(left[-1]) + len(left[-1])
    kept = " ".join(name[begin:end].split())
    return kept if 1 < len(kept) <= LONGEST_NAME else ""


def _concepts(known: Sequence[Known]) -> list[str]:
    points = most_frequent([each.points for each in known], MOST_CONCEPTS)
    return points if len(points) >= FEWEST_CONCEPTS else []


def _typical(paper: Paper, known: Sequence[Known]) -> str | None:
    """The first question of the sort that the paper mostly asks."""
    if not paper.questions:
        return None
    usual = Counter(question.type for question in paper.questions).most_common(1)[0][0]
    at = next(at for at, question in enumerate(paper.questions) if question.type == usual)
    question = paper.questions[at]
    return "\n".join(filter(None, (question.context, known[at].said.stem))) or None


def _minutes(text: str) -> int | None:
    found = _DURATION.search(text)
    if found is None:
        return None
    minutes = int(found["minutes"] or 0) or round(float(found["hours"] or 0) * HOUR) + int(found["rest"] or 0)
    return minutes if 0 < minutes <= LONGEST_DURATION else None


def _letters(value: str) -> list[str]:
    return [letter for letter in each_once(preferences_of(value)) if letter in ("A", "B", "C", "D", "E", "F")]


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return " ".join(found.group().split()) if found else None
