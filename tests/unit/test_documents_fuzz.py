"""Whatever the words and cells are: a parser answers or refuses, and what it answers fits its values.

A few examples in each run, many in the nightly one (HOMEROOM_EXAMPLES).
"""

from __future__ import annotations

import os
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.documents.extract.lines import Line
from app.documents.failures import DocumentFailure
from app.documents.questions.keyfile import key_from_lines
from app.documents.questions.parser import parse_questions
from app.documents.scores.sheets import read_scores
from app.documents.tables.table import Table
from app.documents.values import AnswerKey, Paper, ScoreSheets
from tests.corpus.documents.direct import paper_of, sheets_of

EXAMPLES = settings(
    max_examples=int(os.environ.get("HOMEROOM_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
PIECES = st.sampled_from([
    *("1. ", "2、", "(a)", "（1）", "①", "A. ", "B) ", "一、", "Q3", "第4题", "Answer: ", "【答案】", "解析："),
    *("(5 points)", "5分", "Answer Key", "1-5 ABCDE", "12(1) B", "   ", "Section A", "选择题", "[figure]",
    "true", "²", "0.5"),
    *("______", "٣", "|", "\\item", "<li>", "</ol>", "**", "\n", "\n\n", "1.\n", "2.\n"),
])  # fmt: skip
TEXT = st.lists(PIECES | st.text(max_size=12), max_size=60).map("".join)
WORDS = st.sampled_from([
    *("姓名", "学号", "Q1", "2", "3(1)", "总分", "Total", "缺考", "免考", "A", "BC", "s1", "Ann", "平均分", "满分"),
    *("8/10", "Name", "ID", "Score", "题号", "答案", "Class"),
])  # fmt: skip
CELL = st.none() | st.floats(allow_nan=False, allow_infinity=False) | WORDS | st.text(max_size=8)


@EXAMPLES
@given(TEXT)
def test_any_text_is_parsed(text: str) -> None:
    lines = [Line(line, "a.txt") for line in text.split("\n")]
    Paper.model_validate(parse_questions(lines).model_dump())
    AnswerKey.model_validate(key_from_lines([Line(line, "a.txt") for line in text.split("\n")]).model_dump())


@EXAMPLES
@given(st.lists(st.lists(CELL, min_size=5, max_size=5), min_size=1, max_size=8))
def test_any_table_is_read_or_refused(rows: list[list[str | float | None]]) -> None:
    with suppress(DocumentFailure):
        ScoreSheets.model_validate(read_scores([Table("a.csv", "a", rows)], None, []).model_dump())


@EXAMPLES
@given(st.sampled_from(["a.txt", "a.md", "a.html", "a.tex"]), TEXT)
def test_any_markup_is_read_or_refused(name: str, text: str) -> None:
    with suppress(DocumentFailure):
        paper_of(((name, text.encode("utf-8", "ignore")),))


@EXAMPLES
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    with suppress(DocumentFailure):
        sheets_of((("a.csv", content),))
