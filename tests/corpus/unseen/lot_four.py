"""The fourth hand: conversions, quiz sites, competitions, layout tables. Measured before anything was changed for them."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import docx

from tests.corpus.documents.bank import Item
from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import english
from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.word import Lists, numbered, saved


def headed_questions() -> Made:
    """A heading “Question 1 (2 Marks)” over each, options as a list with letters of its own."""
    document = docx.Document()
    document.add_heading("Class Test: Unit 5", 0)
    lists = Lists(document)
    options = lists.define((("upperLetter", "%1)"),)) - 1
    items = english("cell", "acid", "rust", "metals", "mass")
    for at, item in enumerate(items, start=1):
        document.add_heading(f"Question {at} ({item.points} Marks)", 3)
        for line in item.stem.split("\n"):
            document.add_paragraph(line)
        own = lists.instance(options, restart=True)
        for text in item.options:
            numbered(document, text, own)
    return saved(document), Truths("headed_questions").add(items, told=False, points=True).paper()


def glued_zh() -> Made:
    """Options without a space between them, the letter written into the bracket in the middle of the stem."""
    document = docx.Document()
    document.add_paragraph("第四单元过关测试（答案版）")
    items = [Item("single", "下列物体中，（）是光源。", ("月亮", "镜子", "太阳", "钻石"), "C", 2), Item("single", "我国的首都是（）。", ("北京", "上海", "广州", "天津"), "A", 2),
             Item("single", "水在标准大气压下的沸点是（）℃。", ("0", "50", "90", "100"), "D", 2)]  # fmt: skip
    for at, item in enumerate(items, start=1):
        document.add_paragraph(f"{at}.{item.stem.replace('（）', f'（{item.answer}）')}")
        document.add_paragraph("".join(f"{LETTERS[index]}.{text}" for index, text in enumerate(item.options)))
    return saved(document), Truths("glued_zh", "zh").add(items, told=True).paper()


def layout_table() -> Made:
    """A table without a header that only lays the page out: the number left, the question right, the marks at the edge."""
    document = docx.Document()
    document.add_paragraph("Geography and science check", style="Title")
    items = english("river", "frost", "rome", "speed")
    table = document.add_table(rows=0, cols=3)
    for at, item in enumerate(items, start=1):
        cells = table.add_row().cells
        cells[0].text, cells[1].text, cells[2].text = f"{at}.", item.stem, f"[{item.points}]"
        for index, text in enumerate(item.options):
            table.add_row().cells[1].text = f"{LETTERS[index]}. {text}"
    return saved(document), Truths("layout_table").add(items, told=False, points=True).paper()


def padded() -> Made:
    """01. 02. with dashes behind the letters, Ans - B."""
    items = english("treaty", "verb", "acid", "ohm", "cell", "river", "loop", "frost", "rome", "rust")
    lines = ["WEEKLY TEST 14", ""]
    for at, item in enumerate(items, start=1):
        lines += [
            f"{at:02}. {item.stem}",
            *(f"{LETTERS[index]} - {text}" for index, text in enumerate(item.options)),
            f"Ans - {item.answer}",
            "",
        ]
    return "\n".join(lines).encode(), Truths("padded").add(items, told=True).paper()


def numbered_options() -> Made:
    """A competition's style: options (1) to (4), the answer as a number."""
    items = english("ohm", "acid", "treaty")
    lines = ["Entrance test practice", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"Q{at}. {item.stem}", *(f"   ({index}) {text}" for index, text in enumerate(item.options, start=1))]
        lines += [f"   Ans. ({LETTERS.index(item.answer) + 1})", ""]
    return "\n".join(lines).encode(), Truths("numbered_options").add(items, told=True).paper()


def asked_and_answered() -> Made:
    """Q: and A: as on a site of frequent questions, numbered."""
    items = english("rome", "rust", "speed")
    lines = ["Study guide for the final", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"Q{at}: {item.stem}", f"A{at}: {item.answer}", ""]
    return "\n".join(lines).encode(), Truths("asked_and_answered").add(items, told=True).paper()


def circled_zh() -> Made:
    """A primary school's options: ① ② ③ in a row."""
    items = [
        Item("single", "一年有（）个季节。", ("2", "3", "4"), "C", 2),
        Item("single", "蜜蜂有（）条腿。", ("4", "6", "8"), "B", 2),
    ]
    lines = ["二年级科学小练习", "一、把正确答案的序号填在括号里。（每题2分）"]
    for at, item in enumerate(items, start=1):
        lines += [f"{at}.{item.stem}", "   ".join(f"{'①②③'[index]} {text}" for index, text in enumerate(item.options))]
    truths = Truths("circled_zh", "zh").add(items, told=False, points=2.0)
    return "\n".join(lines).encode(), truths.paper()


def converted() -> Made:
    """Converted from Word to Markdown: stops and brackets escaped, backslashes at the line ends, quotation marks curled."""
    choices, others = english("verb", "waves", "author"), english("plants")
    lines = ["**REVISION TEST 3**", "", "Name: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_", ""]
    for at, item in enumerate(choices, start=1):
        stem = item.stem.replace("_", "\\_").replace("\n", "\\\n").replace('"', "\u201d")
        lines += [
            f"{at}\\. {stem} \\[{item.points} marks\\]",
            "",
            *(f"{LETTERS[index]}\\. {text}\\" for index, text in enumerate(item.options)),
            "",
        ]
    lines += [f"4\\. {others[0].stem}", ""]
    for index, part in enumerate(others[0].parts):
        lines += [f"({letter(index)}) {part.stem} \\[{part.points} marks\\]", ""]
    curled = [
        Item(item.type, item.stem.replace('"', "\u201d"), item.options, item.answer, item.points) for item in choices
    ]
    return "\n".join(lines).encode(), Truths("converted").add([*curled, *others], told=False, points=True).paper()


def theorem_like() -> Made:
    """Environments that count by themselves: \\begin{problem}[3 points]."""
    items = english("rust", "speed", "rome")
    lines = [
        r"\documentclass{article}",
        r"\usepackage{amsthm}",
        r"\newtheorem{problem}{Problem}",
        r"\begin{document}",
        r"\section*{Problem set 2}",
    ]
    for item in items:
        lines += [rf"\begin{{problem}}[{item.points} points]", item.stem, r"\end{problem}", ""]
    lines.append(r"\end{document}")
    return "\n".join(lines).encode(), Truths("theorem_like").add(items, told=False, points=True).paper()


def posted() -> Made:
    """A post on a teacher's site: everything in one paragraph with line breaks, bold questions, answers in italics."""
    items = english("river", "verb", "moon", "rust")
    pieces = []
    for at, item in enumerate(items, start=1):
        options = "".join(f"<br />{letter(index)}) {text}" for index, text in enumerate(item.options))
        pieces.append(
            f"<strong>{at}) {escape(item.stem, quote=False)}</strong>{options}<br /><em>Answer: {item.answer.lower() if item.options else item.answer}</em>"
        )
    page = f"<!doctype html><html><body><article><h1 class='entry-title'>Quiz night for year 8</h1><p>{'<br /><br />'.join(pieces)}</p><footer>Posted in Quizzes | 3 comments</footer></article></body></html>"
    return page.encode(), Truths("posted").add(items, told=True).paper()


def page_table() -> Made:
    """A web page laid out by a table: the number in one cell, the question in the next, options in a table within it."""
    items = english("cell", "acid", "frost")
    rows = []
    for at, item in enumerate(items, start=1):
        options = "".join(
            f"<tr><td>{LETTERS[index]}.</td><td>{text}</td></tr>" for index, text in enumerate(item.options)
        )
        inner = f"<table>{options}</table>" if options else ""
        rows.append(f"<tr><td valign=top>{at}.</td><td>{item.stem} ({item.points} points){inner}</td></tr>")
    return f"<html><body><h2>Practice</h2><table>{''.join(rows)}</table></body></html>".encode(), Truths(
        "page_table"
    ).add(items, told=False, points=True).paper()


LOT_FOUR: dict[str, tuple[Callable[[], Made], ...]] = {
    "docx": (headed_questions, glued_zh, layout_table), "txt": (padded, numbered_options, asked_and_answered, circled_zh), "md": (converted,),
    "tex": (theorem_like,), "html": (posted, page_table),
}  # fmt: skip
