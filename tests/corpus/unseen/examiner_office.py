"""An examiner's papers from a word processor."""

from __future__ import annotations

import io
from typing import Any

import docx
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.shared import Inches
from PIL import Image, ImageDraw

from tests.corpus.unseen.examiner_exam import Block, Exam
from tests.corpus.unseen.examiner_writers import automatic, option_lines
from tests.corpus.unseen.word import Lists, numbered, saved


def word(exam: Exam) -> bytes:  # noqa: C901 - a list of kinds
    manner = exam.manner
    document = docx.Document()
    if manner.furniture:
        section = document.sections[0]
        section.header.paragraphs[0].text = exam.blocks[0].text
        section.footer.paragraphs[0].text = "Page 1 of 3" if manner.language == "en" else "第1页 共3页"
    lists, counting = Lists(document), 0
    letters = lists.define((("upperLetter", "%1."),)) if automatic(exam) else 0
    for block in exam.blocks:
        match block.kind:
            case "title":
                document.add_heading(block.text, 0)
            case "heading":
                counting = 0 if manner.restart else counting
                if manner.variant % 3 == 2:
                    document.add_paragraph().add_run(block.text).bold = True
                else:
                    document.add_heading(block.text, 1 + manner.variant % 2)
            case "stem" if automatic(exam):
                counting = counting or lists.define((("decimal", "%1."),))
                _set_right(numbered(document, block.text, counting), block)
            case "stem":
                _stem(document, exam, block)
            case "options":
                _options(document, exam, block, lists.instance(letters - 1, restart=True) if letters else 0)
            case "table":
                _table(document, block.rows)
            case "figure":
                document.add_picture(_drawing(), width=Inches(1.2))
            case _:
                _set_right(document.add_paragraph(block.mark + block.text), block)
    return saved(document)


def _stem(document: Any, exam: Exam, block: Block) -> None:
    paragraph = document.add_paragraph()
    if exam.manner.variant in {1, 4}:
        paragraph.add_run(block.mark).bold = True
        paragraph.add_run(block.text)
    elif exam.manner.variant == 5:
        paragraph.add_run(block.mark + block.text).bold = True
    else:
        paragraph.add_run(block.mark + block.text)
    _set_right(paragraph, block)


def _set_right(paragraph: Any, block: Block) -> None:
    if block.right:
        paragraph.paragraph_format.tab_stops.add_tab_stop(Inches(6), WD_TAB_ALIGNMENT.RIGHT)
        paragraph.add_run("\t" + block.right)


def _options(document: Any, exam: Exam, block: Block, letters: int) -> None:
    lines = option_lines(exam, block)
    if len(lines) == len(block.choices) and letters:
        for _, text in block.choices:
            numbered(document, text, letters)
    elif len(lines) * 2 == len(block.choices) and exam.manner.variant == 0:
        texts = [label + text for label, text in block.choices]
        _table(document, tuple(tuple(texts[at : at + 2]) for at in range(0, len(texts), 2)), style=None)
    elif exam.manner.variant == 3 and len(lines) > 1:
        document.add_paragraph("\n".join(lines))
    else:
        for line in lines:
            paragraph = document.add_paragraph(line)
            paragraph.paragraph_format.left_indent = Inches(0.3)


def _table(document: Any, rows: tuple[tuple[str, ...], ...], style: str | None = "Table Grid") -> None:
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    if style:
        table.style = style
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text


def _drawing() -> io.BytesIO:
    picture = Image.new("RGB", (120, 80), "white")
    ImageDraw.Draw(picture).polygon(((10, 70), (60, 10), (110, 70)), outline="black", width=2)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    stream.seek(0)
    return stream
