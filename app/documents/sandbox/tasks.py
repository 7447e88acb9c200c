"""What a parser's process can be asked to do. This module, and all that it imports, is loaded nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from app.documents.archives import check_archive
from app.documents.extract.lines import Extracted, row_line
from app.documents.extract.source import Desk, Source
from app.documents.failures import DocumentFailure
from app.documents.kinds import Kind
from app.documents.limits import Limits
from app.documents.questions.keyfile import key_from_lines
from app.documents.questions.parser import parse_questions
from app.documents.scores.sheets import read_scores
from app.documents.sniff import sniff
from app.documents.tables.table import Table, cell_text
from app.documents.values import Notice

# A parser is imported when a document needs it: most libraries take longer to load than their work takes.
EXTRACTORS: dict[Kind, str] = {
    "pdf": "app.documents.extract.pdf",
    "image": "app.documents.extract.image",
    "docx": "app.documents.extract.docx",
    "markdown": "app.documents.extract.markdown",
    "text": "app.documents.extract.text",
    "tex": "app.documents.extract.tex",
    "html": "app.documents.extract.html",
}
TABLES: dict[Kind, str] = {
    "xlsx": "app.documents.tables.spreadsheet",
    "xls": "app.documents.tables.spreadsheet",
    "csv": "app.documents.tables.delimited",
    "pdf": "app.documents.tables.paged",
    "image": "app.documents.tables.pictured",
    "docx": "app.documents.tables.written",
    "html": "app.documents.tables.written",
    "markdown": "app.documents.tables.written",
}


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    content: bytes


Options = dict[str, Any]


def parse_paper(files: list[Input], options: Options, limits: Limits, desk: Desk) -> Any:
    found = Extracted(pages=0)
    for index, file in enumerate(files):
        desk.progress("files", index, len(files))
        extracted = extract(file, options["ocr_mode"], limits, desk)
        found.lines += extracted.lines
        found.pages += extracted.pages
        found.ocr_pages += extracted.ocr_pages
        found.notes += extracted.notes
    if not any(line.text.strip() and not line.figure for line in found.lines):
        raise DocumentFailure("no_text", "no text was found in the document")
    paper = parse_questions(found.lines)
    if not paper.questions:
        raise DocumentFailure("no_questions", "no numbered questions were found in the text")
    paper.pages, paper.ocr_pages = found.pages, found.ocr_pages
    paper.text = "\n".join(line.text for line in found.lines)[: limits.characters]
    paper.warnings += [Notice(code=code, detail=detail, page=page) for code, detail, page in found.notes]
    return paper.model_dump()


def parse_scores(files: list[Input], options: Options, limits: Limits, desk: Desk) -> Any:
    tables: list[Table] = []
    warnings: list[Notice] = []
    failures: list[DocumentFailure] = []
    for index, file in enumerate(files):
        desk.progress("files", index, len(files))
        try:
            tables += tables_of(file, options["ocr_mode"], limits, desk)
        except DocumentFailure as failure:  # the others may still hold all marks
            failures.append(failure)
            warnings.append(Notice(code=failure.code, detail=failure.detail, file=file.name))
    if failures and not tables:
        raise failures[0]
    return read_scores(tables, options["selected"], warnings).model_dump()


def parse_answers(files: list[Input], options: Options, limits: Limits, desk: Desk) -> Any:
    lines = []
    for index, file in enumerate(files):
        desk.progress("files", index, len(files))
        if sniff(file.name, file.content) in {"xlsx", "xls", "csv"}:
            for table in tables_of(file, options["ocr_mode"], limits, desk):
                lines += [row_line([cell_text(cell) for cell in row], file.name, table.page) for row in table.rows]
        else:
            lines += extract(file, options["ocr_mode"], limits, desk).lines
    return key_from_lines(lines).model_dump()


def extract(file: Input, ocr_mode: str, limits: Limits, desk: Desk) -> Extracted:
    module = EXTRACTORS.get(_checked(file, limits))
    if module is None:
        raise DocumentFailure("unsupported_type", "a table is not a paper", file=file.name)
    extracted: Extracted = import_module(module).extract(Source(file.name, file.content, limits, ocr_mode, desk))
    if extracted.characters() > limits.characters:
        raise DocumentFailure("result_too_large", "the document holds more text than is allowed", file=file.name)
    return extracted


def tables_of(file: Input, ocr_mode: str, limits: Limits, desk: Desk) -> list[Table]:
    module = TABLES.get(_checked(file, limits))
    if module is None:
        raise DocumentFailure("unsupported_type", "marks are not read from files of this type", file=file.name)
    found: list[Table] = import_module(module).tables(Source(file.name, file.content, limits, ocr_mode, desk))
    return [table for table in found if table.rows]


def _checked(file: Input, limits: Limits) -> Kind:
    kind = sniff(file.name, file.content)
    if kind in {"docx", "xlsx"}:
        check_archive(file.name, kind, file.content, limits)
    return kind


TASKS: dict[str, Callable[[list[Input], Options, Limits, Desk], Any]] = {
    "paper": parse_paper,
    "scores": parse_scores,
    "answers": parse_answers,
}
