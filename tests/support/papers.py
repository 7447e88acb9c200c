"""Papers from a few lines of text, as the parser of plain text makes them."""

from __future__ import annotations

from app.documents.extract.lines import Line
from app.documents.questions.parser import parse_questions
from app.documents.values import Paper


def paper_of(text: str, *, file: str = "sheet.txt") -> Paper:
    paper = parse_questions([Line(line, file) for line in text.split("\n")])
    paper.text, paper.pages = text, 1
    return paper
