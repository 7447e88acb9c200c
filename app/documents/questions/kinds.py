"""What kind of question it is, from its section, its options, its answer and its words."""

from __future__ import annotations

import re

from app.documents.questions.sections import kind_in
from app.documents.questions.wording import BLANK_RUN
from app.documents.values import Option, QuestionType

TWO = 2
TRUE_FALSE = re.compile(
    r"^(?:true|false|t|f|yes|no|right|wrong|correct|incorrect|对|错|正确|错误|√|×|✓|✗|是|否)\.?$", re.IGNORECASE
)
SEVERAL = re.compile(
    r"select\s+(?:all|two|three)|choose\s+(?:all|two|three)|all\s+that\s+apply|more\s+than\s+one|multiple\s+answers|which\s+(?:two|three)\b"
    r"|which\s+of\s+the\s+following\s+(?:statements\s+)?are\b[^.]{0,40}\(select|多选|不定项|哪些|哪几",
    re.IGNORECASE,
)
JUDGE = re.compile(
    r"true\s+or\s+false|\(\s*T\s*/\s*F\s*\)|\bT\s*/\s*F\b|\(\s*true\s*/\s*false\s*\)|判断(?:对错|正误|题)|对的?打",
    re.IGNORECASE,
)
ESSAY = re.compile(
    r"\bessay\b|write\s+(?:a|an)\s+(?:\w+\s+)?(?:composition|article|story|letter|paragraph|report|speech)|\bdiscuss\b|in\s+(?:about|at\s+least)\s+\d+"
    r"\s+words|作文|写一篇|论述|不少于\s*\d+\s*字|\d+\s*words",
    re.IGNORECASE,
)
CALCULATION = re.compile(
    r"\b(?:calculate|compute|evaluate|simplify|factori[sz]e|differentiate|integrate|work\s+out|solve|how\s+(?:much|many|far|fast|long)|find\s+the"
    r"\s+(?:value|area|volume|sum|product|length|speed|mass|perimeter|mean|median|probability|distance|derivative|roots?|solutions?)|find\s+[a-z]\b)"
    r"|计算|求|解方程|解不等式|化简|因式分解|多少",
    re.IGNORECASE,
)
WORDS = re.compile(
    r"^\W*(?:state|explain|describe|name|define|give\s+(?:a|one|two)\s+reasons?|why|请?(?:说明|简述|写出|解释))",
    re.IGNORECASE,
)
AMOUNT = re.compile(
    r"(?:^|[.?!:]\s+|\n)(?:calculate|compute|work\s+out|solve|how\s+(?:much|far|fast|long))\b|(?:^|[。，：])(?:计算|求)",
    re.IGNORECASE,
)
KIND_AND_POINTS = re.compile(
    r"^\s*[（(\[【]([^）)\]】\d]{2,16}?)[，,、:：\s]+(\d{1,3}(?:\.\d)?)\s*(?:分|points?|pts?|marks?)\s*[）)\]】]\s*",
    re.IGNORECASE,
)
EMPTY_BRACKETS = re.compile(r"[（(]\s*[）)]")


def type_of(stem: str, options: list[Option], answer: str | None, section: QuestionType | None) -> QuestionType:
    if len(options) == TWO and all(TRUE_FALSE.match(option.text.strip()) for option in options):
        return "true_false"
    if len(options) >= TWO:
        letters = answer if answer and re.fullmatch(r"[A-H]+", answer) else ""
        several = section == "multiple" or SEVERAL.search(stem) or len(letters) > 1
        return "multiple" if several else "single"
    return _without_options(stem, answer, section)


def _without_options(stem: str, answer: str | None, section: QuestionType | None) -> QuestionType:  # noqa: PLR0911 - a list of decisions, taken from the top
    if JUDGE.search(stem) or section == "true_false":
        return "true_false"
    if answer and TRUE_FALSE.match(answer.strip()) and not stem.rstrip().endswith(("?", "？")):
        return "true_false"
    if section in {"blank", "essay"}:
        return section
    if section in {"single", "multiple"} and EMPTY_BRACKETS.search(stem):
        return section  # its options are a picture
    if BLANK_RUN.search(stem):
        return "blank"
    if section == "short" and AMOUNT.search(stem) and not WORDS.match(stem):
        return "calculation"  # short answers and structured questions may be either
    if section == "short" or (section == "calculation" and not WORDS.match(stem)):
        return section
    if ESSAY.search(stem):
        return "essay"
    return "calculation" if CALCULATION.search(stem) else "short"


def take_kind_with_points(text: str) -> tuple[float | None, str]:
    """（单选题，3分） before a stem: what it is worth, and the stem without both."""
    marked = KIND_AND_POINTS.match(text)
    return (float(marked[2]), text[marked.end() :]) if marked and kind_in(marked[1]) else (None, text)


def without_kind(stem: str) -> str:
    """【单选题】 says what the question is, and is no part of what it asks."""
    marked = re.match(r"^\s*(?:[【（]([^】）]{1,10}题)[】）]|\[([^\]]{1,10}题)\])\s*", stem)
    return stem[marked.end() :] if marked and kind_in(marked.group(1) or marked.group(2)) else stem


def type_said_in(text: str) -> QuestionType | None:
    """(多选) or [True/False] beside a question's number."""
    marked = re.match(r"^\s*[（(\[【]([^）)\]】]{1,20})[）)\]】]", text)
    return kind_in(marked.group(1)) if marked else None


def type_with_answer(kind: QuestionType, answer: str | None, *, choice: bool) -> QuestionType:
    """What the key adds: several letters make a choice multiple, a T or F makes a statement to be judged."""
    if choice:
        return "multiple" if kind == "single" and answer and re.fullmatch(r"[A-H]{2,}", answer) else kind
    return "true_false" if kind == "short" and answer and TRUE_FALSE.match(answer.strip()) else kind
