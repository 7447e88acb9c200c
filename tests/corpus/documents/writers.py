"""The corpus's papers and sheets as files. Each writer uses what a school would: a word processor's format, a printer's, a
scanner's."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from html import escape

import docx
import numpy
from PIL import Image, ImageFilter

from tests.corpus.documents.papers import Paper, Row
from tests.corpus.documents.pdf import Page, draw_pages, pdf_of, picture_of, width_of
from tests.corpus.documents.sheets import Book, Sheet, Value

MARGIN, WIDTH = 56.0, 595.0


def text(paper: Paper) -> bytes:
    lines = []
    for row in paper.rows:
        blank = (
            [
                "",
            ]
            if row.kind in {"heading", "stem", "title"}
            else []
        )
        indent = "   " if row.kind in {"options", "part"} else ""
        lines += [*blank, indent + row.text]
    return "\n".join(lines).encode()


def markdown(paper: Paper) -> bytes:
    lines = []
    for row in paper.rows:
        match row.kind:
            case "title":
                lines.append(f"# {row.text}")
            case "heading":
                lines.append(f"\n## {row.text}\n")
            case "stem":
                lines.append(f"\n**{row.text}**\n" if "*" not in row.text else f"\n{row.text}\n")
            case "options":
                lines.append(f"- {row.text}")
            case "answer":
                label, colon, rest = row.text.partition(":")
                lines.append(f"\n**{label}:**{rest}" if colon else f"\n{row.text}")
            case _:
                lines.append(f"\n{row.text}")
    return "\n".join(lines).encode()


def html(paper: Paper) -> bytes:
    tags = {"title": "h1", "heading": "h2", "options": "li"}
    body = []
    for row in paper.rows:
        tag = tags.get(row.kind, "p")
        body.append(f"<{tag}>{escape(row.text).replace('     ', ' &nbsp;&nbsp;&nbsp; ')}</{tag}>")
    page = f"<!doctype html><html><head><meta charset='utf-8'><title>x</title><script>var n = '1. no';</script></head><body>{''.join(body)}"
    return (page + "</body></html>").encode()


def tex(paper: Paper) -> bytes:
    special = str.maketrans({"%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#"})
    lines = [r"\documentclass{article}", r"\begin{document}", "% 1. a comment is no question"]
    for row in paper.rows:
        words = row.text.translate(special)
        lines.append(rf"\section*{{{words}}}" if row.kind in {"title", "heading"} else rf"{words}\\")
    return "\n".join([*lines, r"\end{document}"]).encode()


def word(paper: Paper) -> bytes:
    document = docx.Document()
    for row in paper.rows:
        if row.kind == "title":
            document.add_heading(row.text, 0)
        elif row.kind == "heading":
            document.add_heading(row.text, 1)
        elif "     " in row.text and row.kind == "options":
            document.add_paragraph("\t".join(part.strip() for part in row.text.split("     ") if part.strip()))
        else:
            document.add_paragraph(row.text)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def pages(paper: Paper, columns: int = 1) -> list[Page]:
    lines = [(row.text, _size(row)) for row in paper.rows]
    head = paper.title if paper.style.furniture else None
    return draw_pages(lines, columns=columns, head=head, language=paper.style.language)


def pdf(paper: Paper, columns: int = 1) -> bytes:
    return pdf_of(pages(paper, columns))


def scan(paper: Paper, seed: int, columns: int = 1) -> list[bytes]:
    """Each page as a photocopier would keep it: leaning, soft, noisy, compressed."""
    return [jpeg_of(worn(picture_of(page), seed + at)) for at, page in enumerate(pages(paper, columns))]


def scanned_pdf(paper: Paper, seed: int) -> bytes:
    pictures = [worn(picture_of(page), seed + at).convert("RGB") for at, page in enumerate(pages(paper))]
    stream = io.BytesIO()
    pictures[0].save(stream, "PDF", save_all=True, append_images=pictures[1:], resolution=200)
    return stream.getvalue()


def clean_png(paper: Paper) -> list[bytes]:
    found = []
    for page in pages(paper):
        stream = io.BytesIO()
        picture_of(page).save(stream, "PNG")
        found.append(stream.getvalue())
    return found


def worn(picture: Image.Image, seed: int) -> Image.Image:
    dice = random.Random(seed)
    leaning = picture.rotate(dice.uniform(-1.2, 1.2), resample=Image.Resampling.BICUBIC, fillcolor=255)
    soft = leaning.filter(ImageFilter.GaussianBlur(dice.uniform(0.4, 0.9)))
    noise = numpy.random.default_rng(seed).normal(0, dice.uniform(4, 9), (soft.height, soft.width))
    return Image.fromarray(numpy.clip(numpy.asarray(soft, dtype=float) + noise, 0, 255).astype("uint8"))


def jpeg_of(picture: Image.Image, quality: int = 60) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _size(row: Row) -> float:
    return {"title": 15.0, "heading": 12.5}.get(row.kind, 10.5)


def comma(book: Book, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    for sheet in book.sheets:
        writer.writerows([["" if value is None else value for value in row] for row in sheet.rows])
    return stream.getvalue().encode(encoding)


def table_page(book: Book, *, ruled: bool) -> Page:
    """The first sheet as it would be printed."""
    sheet = book.sheets[0]
    width = max(len(row) for row in sheet.rows)
    widest = [
        max(width_of(_shown(row, at), 8.0) for row in sheet.rows[-4:] + sheet.rows[:4]) + 12 for at in range(width)
    ]
    scale = min(1.0, (WIDTH - 40) / sum(widest))
    edges = [20 + sum(widest[:at]) * scale for at in range(width + 1)]
    page = Page(WIDTH, 842.0)
    for at, row in enumerate(sheet.rows):
        y = MARGIN + at * 20
        for column, value in enumerate(row):
            if value is not None:
                page.write(edges[column] + 4, y + 14, str(value), 8.0 * scale)
        if ruled:
            page.line(edges[0], y, edges[-1], y)
    if ruled:
        bottom = MARGIN + len(sheet.rows) * 20
        page.line(edges[0], bottom, edges[-1], bottom)
        for edge in edges:
            page.line(edge, MARGIN, edge, bottom)
    return page


def _shown(row: list[Value], at: int) -> str:
    return "" if at >= len(row) or row[at] is None else str(row[at])


def workbook(book: Book) -> bytes:
    """The smallest xlsx that spreadsheet programs open."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        names = [f"xl/worksheets/sheet{at}.xml" for at in range(1, len(book.sheets) + 1)]
        kinds = "".join(f'<Override PartName="/{name}" ContentType="{MAIN}.worksheet+xml"/>' for name in names)
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
            f'+xml"/><Override PartName="/xl/workbook.xml" ContentType="{MAIN}.sheet.main+xml"/>{kinds}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        sheets = "".join(
            f'<sheet name="{sheet.name}" sheetId="{at}" r:id="rId{at}"/>'
            for at, sheet in enumerate(book.sheets, start=1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{OFFICE}/relationships"><sheets>{sheets}</sheets></workbook>',
        )
        links = "".join(
            f'<Relationship Id="rId{at}" Type="{OFFICE}/relationships/worksheet" Target="worksheets/sheet{at}.xml"/>'
            for at in range(1, len(names) + 1)
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>'
        )
        for name, sheet in zip(names, book.sheets, strict=True):
            archive.writestr(name, _sheet_xml(sheet))
    return stream.getvalue()


PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _sheet_xml(sheet: Sheet) -> str:
    rows = []
    for at, row in enumerate(sheet.rows, start=1):
        cells = "".join(_cell_xml(f"{_letters(column)}{at}", value) for column, value in enumerate(row))
        rows.append(f'<row r="{at}">{cells}</row>')
    merged = "".join(
        f'<mergeCell ref="{_letters(left)}{top + 1}:{_letters(right)}{bottom + 1}"/>'
        for top, left, bottom, right in sheet.merges
    )
    tail = f"<mergeCells>{merged}</mergeCells>" if merged else ""
    return f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{"".join(rows)}</sheetData>{tail}</worksheet>'


def _cell_xml(reference: str, value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{reference}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{reference}"><v>{value}</v></c>'


def _letters(column: int) -> str:
    return (_letters(column // 26 - 1) if column >= 26 else "") + chr(ord("A") + column % 26)
