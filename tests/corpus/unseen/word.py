"""Papers made in a word processor, with what it offers: lists that count by themselves, tabs, tables without borders."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import docx
from docx.enum.text import WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from tests.corpus.documents.bank import Item
from tests.corpus.unseen.answers import LETTERS, Truths
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made

Levels = Sequence[tuple[str, str]]  # the format and the text of each level
ENGLISH_LIST: Levels = (("decimal", "%1."), ("upperLetter", "%2."), ("lowerLetter", "(%3)"))


class Lists:
    """Definitions of numbered lists, added to a document as its program would write them."""

    def __init__(self, document: Any) -> None:
        self._root = document.part.numbering_part.element
        self._next = 500

    def define(self, levels: Levels) -> int:
        self._next += 1
        inner = "".join(
            f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
            for at, (form, text) in enumerate(levels)
        )
        abstract = f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{self._next}"><w:multiLevelType w:val="multilevel"/>{inner}</w:abstractNum>'
        self._root.insert(0, parse_xml(abstract))
        return self.instance(self._next)

    def instance(self, abstract: int, *, restart: bool = False) -> int:
        self._next += 1
        again = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>' if restart else ""
        self._root.append(
            parse_xml(
                f'<w:num {nsdecls("w")} w:numId="{self._next}"><w:abstractNumId w:val="{abstract}"/>{again}</w:num>'
            )
        )
        return self._next


def numbered(document: Any, text: str, number_id: int, level: int = 0) -> Any:
    paragraph = document.add_paragraph(text, style="List Paragraph")
    properties = f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="{number_id}"/></w:numPr>'
    paragraph._p.get_or_add_pPr().append(parse_xml(properties))
    return paragraph


def saved(document: Any) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _head(document: Any, school: str, cells: Sequence[str]) -> None:
    section = document.sections[0]
    section.header.paragraphs[0].text = school
    section.footer.paragraphs[0].text = "Page 1 of 2"
    table = document.add_table(rows=1, cols=len(cells))
    for cell, text in zip(table.rows[0].cells, cells, strict=True):
        cell.text = text


def counted() -> Made:
    """Everything counts by itself: questions, options below them, parts; marks after a tab at the right edge."""
    document = docx.Document()
    _head(document, "Riverside Academy", ("Name:", "", "Class:", "", "Mark:       /32"))
    document.add_heading("End of Term Test: General Studies", 0)
    document.add_paragraph("Read every question carefully. Write your answers in the spaces.")
    number_id = Lists(document).define(ENGLISH_LIST)
    items = english("cell", "treaty", "acid", "moon", "frost", "rust", "pool", "essay")
    for item in items:
        numbered(
            document,
            item.stem + ("" if item.parts else f"\t[{item.points} mark{'s' if item.points > 1 else ''}]"),
            number_id,
        )
        for text in item.options:
            numbered(document, text, number_id, 1)
        for part in item.parts:
            numbered(document, f"{part.stem}\t[{part.points} marks]", number_id, 2)
        for _ in range(2 if not item.options else 0):
            document.add_paragraph("_" * 60 if item.type == "short" else "\t")
    return saved(document), Truths("counted").add(items, told=False, points=True).paper()


def four_in_a_table() -> Made:
    """Options in a table of two rows without borders; the key as a table on the last page."""
    document = docx.Document()
    document.add_heading("Quiz 7", 1)
    document.add_paragraph("Section I   Choose the best answer. Each question is worth 2 points.").runs[0].bold = True
    items, others = english("ohm", "river", "waves", "verb"), english("speed", "rust")
    for at, item in enumerate(items, start=1):
        document.add_paragraph(f"{at}. {item.stem}")
        table = document.add_table(rows=2, cols=2)
        for index, text in enumerate(item.options):
            table.cell(index // 2, index % 2).text = f"{LETTERS[index]}. {text}"
    document.add_paragraph("Section II   Answer in full sentences.").runs[0].bold = True
    for at, item in enumerate(others, start=5):
        document.add_paragraph(f"{at}. {item.stem} ({item.points} points)")
        document.add_paragraph("Answer: " + "." * 80)
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    document.add_heading("Answer Key", 1)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Question", "Answer"
    for at, item in enumerate([*items, *others], start=1):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = str(at), item.answer
    truths = Truths("four_in_a_table").add(items, told=True, points=2.0).add(others, told=True, points=True)
    return saved(document), truths.paper()


def lists_apart() -> Made:
    """Each question's options are a list of their own that begins again; a numbered list inside a stem, too."""
    document = docx.Document()
    document.add_paragraph("Lab safety and methods: short test", style="Title")
    lists = Lists(document)
    questions = lists.define((("decimal", "%1."),))
    options = lists.define((("lowerLetter", "%1)"),)) - 1
    steps = lists.define((("lowerRoman", "%1."),))
    ordered = Item("single", "A student heats water.\ni. Light the burner.\nii. Put on goggles.\niii. Fill the beaker.\nWhich step should come first?",
                   ("step i", "step ii", "step iii", "any of them"), "B", 2)  # fmt: skip
    items = [*english("acid", "cell"), ordered, *english("river", "metals", "rome")]
    for item in items:
        lines = item.stem.split("\n")
        numbered(document, lines[0], questions)
        for line in lines[1:-1]:
            numbered(document, line.split(" ", 1)[1], steps)
        if len(lines) > 1:
            document.add_paragraph(lines[-1])
        if item.options:
            own = lists.instance(options, restart=True)
            for text in item.options:
                numbered(document, text, own)
        document.add_paragraph()
    document.add_paragraph("ANSWERS").runs[0].bold = True
    document.add_paragraph("1. c   2. b   3. b   4. b   5. a, c")
    truths = Truths("lists_apart").add(items[:5], told=True).add(items[5:], told=False)
    return saved(document), truths.paper()


def headed_zh() -> Made:
    """Section headings and questions both count by themselves; an empty table for answers stands before the questions."""
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "育才中学"
    document.sections[0].footer.paragraphs[0].text = "第 1 页 共 2 页"
    document.add_heading("2024年春季学期期中考试八年级试卷", 0)
    table = document.add_table(rows=2, cols=5)
    for at, (top, below) in enumerate(zip(("题号", "一", "二", "三", "总分"), ("得分", "", "", "", ""), strict=True)):
        table.cell(0, at).text, table.cell(1, at).text = top, below
    lists = Lists(document)
    sections, questions = lists.define((("chineseCounting", "%1、"),)), lists.define((("decimal", "%1．"),))
    groups = (("选择题（每小题3分，共12分）", chinese("capital", "light", "root", "state"), 3.0), ("填空题（每小题2分，共4分）", chinese("poem", "area"), 2.0),
              ("解答题（共18分）", chinese("climate", "solve", "train"), True))  # fmt: skip
    truths = Truths("headed_zh", "zh")
    for title, items, points in groups:
        numbered(document, title, sections).runs[0].bold = True
        if title.startswith("选"):
            answers = document.add_table(rows=2, cols=len(items) + 1)
            for at in range(len(items) + 1):
                answers.cell(0, at).text, answers.cell(1, at).text = (str(at), "") if at else ("题号", "答案")
        for item in items:
            stem = item.stem + (
                "（    ）" if item.options else f"（{item.points}分）" if points is True and not item.parts else ""
            )
            numbered(document, stem, questions)
            if item.options:
                document.add_paragraph("\t".join(f"{LETTERS[at]}．{text}" for at, text in enumerate(item.options)))
            for at, part in enumerate(item.parts, start=1):
                document.add_paragraph(f"（{at}）{part.stem}（{part.points}分）")
            if points is True:
                document.add_paragraph()
        truths.add(items, told=False, points=points, brackets=points == 3.0)
    return saved(document), truths.paper()


def teachers_copy_zh() -> Made:
    """A teacher's copy: letters in the brackets, the answers of the rest in a table at the end."""
    document = docx.Document()
    document.add_paragraph("第五单元检测卷（教师版）").runs[0].bold = True
    choices, others = chinese("tang", "english", "gases"), chinese("judge1", "judge2", "year", "why")
    for at, item in enumerate(choices, start=1):
        document.add_paragraph(f"{at}. ({item.points}分) {item.stem}（ {item.answer} ）")
        for index in range(0, len(item.options), 2):
            pair = [f"{LETTERS[index + more]}. {text}" for more, text in enumerate(item.options[index : index + 2])]
            document.add_paragraph("\t\t".join(pair))
    for at, item in enumerate(others, start=4):
        document.add_paragraph(
            f"{at}. ({item.points}分) {item.stem}" + ("（    ）" if item.type == "true_false" else "")
        )
    document.add_paragraph("参考答案").runs[0].bold = True
    table = document.add_table(rows=2, cols=5)
    for at, (top, below) in enumerate(
        [("题号", "答案"), *((str(index), item.answer) for index, item in enumerate(others, start=4))]
    ):
        table.cell(0, at).text, table.cell(1, at).text = top, below
    truths = Truths("teachers_copy_zh", "zh").add([*choices, *others], told=True, points=True, brackets=True)
    return saved(document), truths.paper()


def nested() -> Made:
    """Parts (a), (i) from a list of three levels, typed marks in brackets, lines of dots for the answers."""
    document = docx.Document()
    document.add_heading("Paper 2: Structured Questions", 1)
    document.add_paragraph(
        "Answer all questions. The number of marks is given in brackets [ ] at the end of each question or part."
    )
    number_id = Lists(document).define((("decimal", "%1"), ("lowerLetter", "(%2)"), ("lowerRoman", "(%3)")))
    truths = Truths("nested")
    items = english("plants", "pool", "mass")
    for item in items:
        numbered(document, item.stem + ("" if item.parts else f" [{item.points}]"), number_id)
        for part in item.parts:
            numbered(document, part.stem + f" [{part.points}]", number_id, 1)
            document.add_paragraph("." * 90)
    return saved(document), truths.add(items, told=False, points=True).paper()


WORD: tuple[Callable[[], Made], ...] = (counted, four_in_a_table, lists_apart, headed_zh, teachers_copy_zh, nested)
