"""What a parser's process can be asked to do. This module, and all that it imports, is loaded nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from app.documents.archives import check_archive
from app.documents.extract.docx import docx_tables, extract_docx
from app.documents.extract.html import extract_html
from app.documents.extract.image import extract_image
from app.documents.extract.lines import Extracted
from app.documents.extract.pdf import extract_pdf
from app.documents.extract.tex import extract_tex
from app.documents.extract.text import extract_markdown, extract_text
from app.documents.failures import DocumentFailure
from app.documents.kinds import Kind
from app.documents.limits import Limits
from app.documents.questions.keyfile import key_from_lines
from app.documents.questions.parser import parse_questions
from app.documents.scores.sheets import read_scores
from app.documents.sniff import sniff
from app.documents.tables.paged import image_tables, pdf_tables
from app.documents.tables.spreadsheet import csv_tables, workbook_tables
from app.documents.tables.table import Table, cell_text, make_table
from app.documents.extract.lines import row_line
from app.documents.values import Notice


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    content: bytes


class Desk(Protocol):
    def progress(self, step: str, done: int, of: int) -> None: ...
    def recognise(self, width: int, height: int, pixels: bytes) -> list[dict[str, Any]]: ...


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
    kind = _checked(file, limits)

    def pages(done: int, of: int) -> None:
        desk.progress("pages", done, of)

    match kind:
        case "pdf":
            return extract_pdf(file.name, file.content, limits, ocr_mode, desk.recognise, pages)
        case "image":
            return extract_image(file.name, file.content, limits, ocr_mode, desk.recognise)
        case "docx":
            return extract_docx(file.name, file.content, limits)
    readers: dict[Kind, Callable[[str, bytes], Extracted]] = {
        "markdown": extract_markdown,
        "text": extract_text,
        "tex": extract_tex,
        "html": extract_html,
    }
    if kind not in readers:
        raise DocumentFailure("unsupported_type", "a table is not a paper", file=file.name)
    extracted = readers[kind](file.name, file.content)
    if extracted.characters() > limits.characters:
        raise DocumentFailure("result_too_large", "the file holds more text than is allowed", file=file.name)
    return extracted


def tables_of(file: Input, ocr_mode: str, limits: Limits, desk: Desk) -> list[Table]:
    kind = _checked(file, limits)

    def pages(done: int, of: int) -> None:
        desk.progress("pages", done, of)

    match kind:
        case "xlsx" | "xls":
            return workbook_tables(file.name, file.content, limits)
        case "csv":
            return csv_tables(file.name, file.content, limits)
        case "pdf":
            return pdf_tables(file.name, file.content, limits, ocr_mode, desk.recognise, pages)
        case "image":
            return image_tables(file.name, file.content, limits, desk.recognise)
        case "docx":
            found = docx_tables(file.name, file.content)
            return [make_table(file.name, f"table {at}", rows, limits) for at, rows in enumerate(found, start=1)]
        case "html" | "markdown":
            rows = [list(line.cells) for line in extract(file, ocr_mode, limits, desk).lines if line.cells]
            return [make_table(file.name, "table 1", rows, limits)]
    raise DocumentFailure("unsupported_type", "marks are not read from files of this type", file=file.name)


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
