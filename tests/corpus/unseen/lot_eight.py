"""The eighth hand: papers as colleagues share them. Measured before anything was changed for them."""

from __future__ import annotations

from collections.abc import Callable

import docx

from tests.corpus.documents.bank import Item
from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.word import Lists, numbered, saved


def unit_test() -> Made:
    """Directions in every section, T/F circled, a list that begins with 10 where a page was torn off."""
    choices, others = english("cell", "acid"), english("rome", "speed")
    lines = ["UNIT TEST (page 2)", "", "PART II: Circle the correct letter. (2 pts ea.)", ""]
    for at, item in enumerate(choices, start=10):
        lines += [f"{at}. {item.stem}", *(f"\t{letter(index)}. {text}" for index, text in enumerate(item.options)), ""]
    lines += ["PART III: Answer in complete sentences. (4 pts ea.)", ""]
    lines += [f"{at}. {item.stem}\n" for at, item in enumerate(others, start=12)]
    truths = Truths("unit_test", asked=9).add(choices, told=False, points=2.0).add(others, told=False, points=4.0)
    return "\n".join(lines).encode(), truths.paper()


def lesson_plan() -> Made:
    """The questions stand in a longer document: objectives and steps are numbered, too."""
    document = docx.Document()
    document.add_heading("Lesson 12: Cells", 1)
    document.add_heading("Objectives", 2)
    for at, text in enumerate(("Students name the parts of a cell.", "Students explain what each part does."), start=1):
        document.add_paragraph(f"{at}. {text}")
    document.add_heading("Exit quiz", 2)
    items = english("cell", "rust", "frost")
    for at, item in enumerate(items, start=1):
        document.add_paragraph(f"{at}. {item.stem}")
        for index, text in enumerate(item.options):
            document.add_paragraph(f"{LETTERS[index]}. {text}")
    truths = Truths("lesson_plan").add(items, told=False)
    return saved(document), truths.paper()


def upper_roman() -> Made:
    """Word's list counts I., II., III.; options count a., b., c.; the marks stand in a bracket before the stem."""
    document = docx.Document()
    document.add_heading("Oral examination cards", 1)
    number_id = Lists(document).define((("upperRoman", "%1."), ("lowerLetter", "%2.")))
    items = english("river", "ohm", "rome")
    for item in items:
        numbered(document, f"({item.points} marks) {item.stem}", number_id)
        for text in item.options:
            numbered(document, text, number_id, 1)
    return saved(document), Truths("upper_roman").add(items, told=False, points=True).paper()


def score_lines_zh() -> Made:
    """得分|评卷人 boxes before each section, sections by 第一部分, marks at the end without brackets."""
    document = docx.Document()
    document.add_paragraph("2024年初中学业水平模拟考试")
    groups = (
        ("第一部分 选择题（共6分）", chinese("light", "tang"), 3.0),
        ("第二部分 非选择题（共14分）", chinese("why", "price", "climate"), True),
    )
    truths, number = Truths("score_lines_zh", "zh"), 0
    for title, items, points in groups:
        box = document.add_table(rows=2, cols=2)
        box.cell(0, 0).text, box.cell(0, 1).text = "得分", "评卷人"
        document.add_paragraph(title + ("。每小题3分。" if points == 3.0 else "。"))
        for item in items:
            number += 1
            document.add_paragraph(f"{number}. {item.stem}" + ("（  ）" if item.options else f"{item.points}分"))
            if item.options:
                document.add_paragraph(
                    "   ".join(f"{LETTERS[index]}. {text}" for index, text in enumerate(item.options))
                )
        truths.add(items, told=False, points=points, brackets=points == 3.0)
    return saved(document), truths.paper()


def printed_key() -> Made:
    """The key in columns of tabs, with a heading that says “Answers to Quiz 3”."""
    items = english("treaty", "verb", "ohm", "river", "acid", "loop")
    lines = ["Quiz 3", ""]
    for at, item in enumerate(items, start=1):
        lines += [
            f"{at}. {item.stem}",
            *(f"   {LETTERS[index]}) {text}" for index, text in enumerate(item.options)),
            "",
        ]
    lines += ["Answers to Quiz 3", ""]
    pairs = [f"{at}. {item.answer}" for at, item in enumerate(items, start=1)]
    lines += ["\t".join((pairs[at], pairs[at + 3])) for at in range(3)]
    return "\n".join(lines).encode(), Truths("printed_key").add(items, told=True).paper()


def listed_page() -> Made:
    """A definition list: <dt> for the questions, <dd> for the options, the right one in bold with a tick."""
    items = english("acid", "river", "ohm")
    body = ["<h2>Self-check</h2><dl>"]
    for at, item in enumerate(items, start=1):
        body.append(f"<dt>{at}. {item.stem}</dt>")
        body += [
            f"<dd>{'<b>' if LETTERS[index] in item.answer else ''}{LETTERS[index]}. {text}{' &#10003;</b>' if LETTERS[index] in item.answer else ''}</dd>"
            for index, text in enumerate(item.options)
        ]
    return ("<html><body>" + "".join(body) + "</dl></body></html>").encode(), Truths("listed_page").add(
        items, told=True
    ).paper()


def table_markdown() -> Made:
    """A table in Markdown with a row for each question."""
    items = english("moon", "rust", "speed", "author")
    lines = ["## Question bank", "", "| # | Question | Answer | Points |", "|---|---|---|---|"]
    lines += [f"| {at} | {item.stem} | {item.answer} | {item.points} |" for at, item in enumerate(items, start=1)]
    return "\n".join(lines).encode(), Truths("table_markdown").add(items, told=True, points=True).paper()


def parts_tex() -> Made:
    """Exam class with marks in parts and a question that has its own, options in oneparchoices."""
    items = [*english("cell", "plants"), Item("calculation", "Solve $2x = 10$.", (), "", 3)]
    lines = [r"\documentclass{exam}", r"\begin{document}", r"\begin{questions}", r"\pointsinrightmargin"]
    for item in items:
        lines.append(rf"\question{'' if item.parts else f'[{item.points}]'} {item.stem}")
        if item.options:
            lines += [r"\begin{oneparchoices}", *(rf"\choice {text}" for text in item.options), r"\end{oneparchoices}"]
        if item.parts:
            lines += [
                r"\begin{parts}",
                *(rf"\part[{part.points}] {part.stem} \vspace{{\stretch{{1}}}}" for part in item.parts),
                r"\end{parts}",
            ]
        lines.append(r"\fillwithlines{1in}")
    lines += [r"\end{questions}", r"\end{document}"]
    return "\n".join(lines).encode(), Truths("parts_tex").add(items, told=False, points=True).paper()


LOT_EIGHT: dict[str, tuple[Callable[[], Made], ...]] = {
    "txt": (unit_test, printed_key), "docx": (lesson_plan, upper_roman, score_lines_zh), "html": (listed_page,), "md": (table_markdown,), "tex": (parts_tex,),
}  # fmt: skip
