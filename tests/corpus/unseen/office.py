"""More from word processors and shared documents: a table with a row for each question, content controls, formulas, styles that count."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from tests.corpus.documents.bank import Item
from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.word import saved

MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def row_by_row() -> Made:
    """A table: number, question with its options below one another, marks."""
    document = docx.Document()
    document.add_heading("Assessment 3", 1)
    items = english("cell", "treaty", "rust", "speed", "frost")
    table = document.add_table(rows=1, cols=3)
    for cell, text in zip(table.rows[0].cells, ("No.", "Question", "Marks"), strict=True):
        cell.text = text
    for at, item in enumerate(items, start=1):
        cells = table.add_row().cells
        cells[0].text, cells[2].text = str(at), str(item.points)
        cells[1].text = "\n".join(
            [item.stem, *(f"{LETTERS[index]}. {text}" for index, text in enumerate(item.options))]
        )
    return saved(document), Truths("row_by_row").add(items, told=False, points=True).paper()


def controlled() -> Made:
    """Each question in a content control, options after soft line breaks in one paragraph, right-hand marks by a tab."""
    document = docx.Document()
    document.add_paragraph("Mock exam, paper 1", style="Title")
    items = english("ohm", "acid", "metals", "rome")
    for at, item in enumerate(items, start=1):
        paragraph = document.add_paragraph()
        run = paragraph.add_run(f"{at}.\t{item.stem}\t({item.points})")
        for index, text in enumerate(item.options):
            run.add_break()
            run.add_text(f"{LETTERS[index]})\t{text}")
        element = paragraph._p
        control = parse_xml(f"<w:sdt {nsdecls('w')}><w:sdtPr/><w:sdtContent/></w:sdt>")
        element.addprevious(control)
        control[1].append(element)
    return saved(document), Truths("controlled").add(items, told=False, points=True).paper()


def styled() -> Made:
    """The style “List Number” counts on through the paper; answers in a bold line below each."""
    document = docx.Document()
    document.add_paragraph("Friday quiz", style="Title")
    for heading, items in (
        ("Part 1: Multiple choice", english("river", "verb")),
        ("Part 2: Short answers", english("rome", "author")),
    ):
        document.add_paragraph(heading, style="Heading 2")
        for item in items:
            document.add_paragraph(item.stem, style="List Number")
            for index, text in enumerate(item.options):
                document.add_paragraph(f"{letter(index)}. {text}", style="List Continue")
            document.add_paragraph().add_run(f"Answer: {item.answer}").bold = True
    truths = Truths("styled").add(english("river", "verb"), told=True).add(english("rome"), told=True)
    return saved(document), truths.add(english("author"), told=True).paper()


def formulas_zh() -> Made:
    """Fractions and powers from the formula editor, superscripts by a run's format: a lost line or height changes the number."""
    document = docx.Document()
    document.add_paragraph("七年级数学单元测试")
    fraction = Item("single", "计算 1/2 + 1/4 的结果是（）", ("1/6", "2/6", "3/4", "3/8"), "C", 3)
    power = Item("blank", "10^3 等于________。", (), "1000", 3)
    root = Item("calculation", "求 x^2 = 16 的正数解。", (), "x = 4", 4)
    one = _paragraph(document, "1. 计算 ")
    _fraction(one, 1, 2)
    one.add_run(" + ")
    _fraction(one, 1, 4)
    one.add_run(" 的结果是（    ）")
    for at, text in enumerate(fraction.options):
        option = _paragraph(document, f"{LETTERS[at]}. ")
        _fraction(option, *map(int, text.split("/")))
    two = _paragraph(document, "2. 10")
    two.add_run("3").font.superscript = True
    two.add_run(" 等于________。")
    three = _paragraph(document, "3. 求 ")
    three._p.append(parse_xml(f"<m:oMath {MATH}><m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
                              f"<m:r><m:t>=16</m:t></m:r></m:oMath>"))  # fmt: skip
    three.add_run(" 的正数解。")
    return saved(document), Truths("formulas_zh", "zh").add([fraction, power, root], told=False).paper()


def _paragraph(document: Any, text: str) -> Any:
    return document.add_paragraph(text)


def _fraction(paragraph: Any, over: int, under: int) -> None:
    paragraph._p.append(parse_xml(
        f"<m:oMath {MATH}><m:f><m:num><m:r><m:t>{over}</m:t></m:r></m:num><m:den><m:r><m:t>{under}</m:t></m:r></m:den></m:f></m:oMath>"
    ))  # fmt: skip


def shared_document() -> Made:
    """A shared document's download: lists side by side that count by style sheet, every run in a span."""
    items = english("acid", "treaty", "loop", "rust", "plants")
    css = "".join(
        f'.lst-kix_q7-{level} > li:before{{content:"" counter(lst-ctn-kix_q7-{level},{style}) "{stop} "}}'
        for level, (style, stop) in enumerate((("decimal", "."), ("lower-latin", "."), ("lower-roman", ".")))
    )
    body = ['<p class="c5 title"><span class="c3">Quiz on several topics</span></p>']
    for at, item in enumerate(items, start=1):
        start = " start" if at == 1 else ""
        stem = escape(item.stem, quote=False).replace("\n", "<br>")
        body.append(
            f'<ol class="c0 lst-kix_q7-0{start}" start="{at}"><li class="c1 li-bullet-0"><span class="c2">{stem}</span></li></ol>'
        )
        inner = item.options or tuple(f"{part.stem} ({part.points} points)" for part in item.parts)
        if inner:
            cells = "".join(f'<li class="c4 li-bullet-0"><span class="c2">{text}</span></li>' for text in inner)
            body.append(f'<ol class="c0 lst-kix_q7-1 start" start="1">{cells}</ol>')
        body.append('<p class="c1 c6"><span class="c2"></span></p>')
    page = f'<html><head><meta content="text/html; charset=UTF-8" http-equiv="content-type"><style type="text/css">ol{{margin:0;padding:0}}{css}</style></head><body class="c7 doc-content">'
    truths = Truths("shared_document").add(items[:4], told=False).add(items[4:], told=False, points=True)
    return (page + "".join(body) + "</body></html>").encode(), truths.paper()


def powers_page() -> Made:
    """<sup> and <sub> in the text, options in table cells, numbers in a cell of their own."""
    items = [Item("single", "How many metres are 10^3 mm?", ("0.1 m", "1 m", "10 m", "100 m"), "B", 2),
             Item("single", "Which of these is the formula of water?", ("H2O", "CO2", "O2", "H2"), "A", 2),
             *english("mass")]  # fmt: skip
    body = ["<h2>Units and formulas</h2>"]
    for at, item in enumerate(items, start=1):
        stem = escape(item.stem, quote=False).replace("10^3", "10<sup>3</sup>").replace("\n", "<br>")
        cells = [
            f"<td>{LETTERS[index]}.</td><td>{text.replace('2', '<sub>2</sub>') if at == 2 else text}</td>"
            for index, text in enumerate(item.options)
        ]
        rows = "".join(f"<tr>{''.join(cells[index : index + 2])}</tr>" for index in range(0, len(cells), 2))
        body.append(f"<p>{at}. {stem} [{item.points} marks]</p>{f'<table>{rows}</table>' if rows else ''}")
    return f"<html><body>{''.join(body)}</body></html>".encode(), Truths("powers_page").add(
        items, told=False, points=True
    ).paper()


def rows_zh() -> Made:
    """A Chinese table of questions with the answer in a column of its own."""
    document = docx.Document()
    document.add_paragraph("安全知识竞赛题库")
    items = chinese("judge1", "judge2", "climate", "price")
    table = document.add_table(rows=1, cols=3)
    for cell, text in zip(table.rows[0].cells, ("序号", "题目", "答案"), strict=True):
        cell.text = text
    for at, item in enumerate(items, start=1):
        for cell, text in zip(table.add_row().cells, (str(at), item.stem, item.answer), strict=True):
            cell.text = text
    return saved(document), Truths("rows_zh", "zh").add(items, told=True).paper()


OFFICE: dict[str, tuple[Callable[[], Made], ...]] = {
    "docx": (row_by_row, controlled, styled, formulas_zh, rows_zh),
    "html": (shared_document, powers_page),
}
