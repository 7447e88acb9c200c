"""The sixth hand: decimal numbers, roman options, rubrics, messages from a phone. Measured before anything was changed for them."""

from __future__ import annotations

from collections.abc import Callable

import docx

from tests.corpus.documents.papers import Paper, Style, Truth
from tests.corpus.unseen.answers import LETTERS, Truths
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.word import saved

ROMAN = ("i", "ii", "iii", "iv")


def decimal_numbers() -> Made:
    """QUESTION 1 with 1.1, 1.2 below it, marks in brackets at the right, totals in square brackets."""
    document = docx.Document()
    document.add_paragraph("NATURAL SCIENCES GRADE 8")
    document.add_paragraph("MARKS: 14        TIME: 30 minutes")
    truth: list[Truth] = []
    for at, names in enumerate((("rust", "speed"), ("rome", "mass")), start=1):
        document.add_paragraph(f"QUESTION {at}").runs[0].bold = True
        for part, item in enumerate(english(*names), start=1):
            lines = item.stem.split("\n")
            document.add_paragraph(f"{at}.{part}\t{' '.join(lines)}\t({item.points})")
            truth.append(Truth(f"Q{at}({part})", item.type, item.stem, (), None, float(item.points), None))
        document.add_paragraph("[7]")
    return saved(document), Paper("decimal_numbers", Style("en"), "decimal_numbers", truth=truth)


def roman_options() -> Made:
    """Options i) to iv), the answer as one of them."""
    items = english("cell", "acid", "river")
    lines = ["Objective type test", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"{at}. {item.stem}", *(f"   {ROMAN[index]}) {text}" for index, text in enumerate(item.options))]
        lines += [f"   Answer: {ROMAN[LETTERS.index(item.answer)]}", ""]
    return "\n".join(lines).encode(), Truths("roman_options").add(items, told=True).paper()


def kinds_zh() -> Made:
    """1.（单选题，3分）before each stem, 正确答案 in bold."""
    items = chinese("capital", "gases", "judge1", "year", "why")
    names = {"single": "单选题", "multiple": "多选题", "true_false": "判断题", "blank": "填空题", "short": "简答题"}
    lines = ["# 在线测验 2", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"{at}.（{names[item.type]}，{item.points}分）{item.stem}", ""]
        lines += [*(f"- {LETTERS[index]}．{text}" for index, text in enumerate(item.options)), ""]
        lines += [f"**正确答案：{item.answer}**", ""]
    return "\n".join(lines).encode(), Truths("kinds_zh", "zh").add(items, told=True, points=True).paper()


def rubric() -> Made:
    """Open questions with a rubric's table behind the last of them."""
    document = docx.Document()
    document.add_heading("Writing and reasoning task", 1)
    items = english("rome", "essay")
    for at, item in enumerate(items, start=1):
        document.add_paragraph(f"{at}. {item.stem} [{item.points} marks]")
    document.add_heading("Rubric", 2)
    table = document.add_table(rows=1, cols=3)
    for cell, text in zip(table.rows[0].cells, ("Criterion", "4 points", "2 points"), strict=True):
        cell.text = text
    for row in (
        ("1. Argument", "clear and supported", "partly supported"),
        ("2. Language", "few errors", "some errors"),
    ):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    return saved(document), Truths("rubric").add(items, told=False, points=True).paper()


def message() -> Made:
    """Typed on a phone: keycaps for numbers, letters with a dash, a greeting around it."""
    items = english("treaty", "acid", "verb")
    lines = ["Hello everyone \N{WAVING HAND SIGN} here is today's quiz!", ""]
    for at, item in enumerate(items, start=1):
        lines += [
            f"{at}\ufe0f\u20e3 {item.stem}",
            *(f"{LETTERS[index]}- {text}" for index, text in enumerate(item.options)),
            "",
        ]
    lines.append("Send me your answers before 8 pm \N{BOOKS}")
    return "\n".join(lines).encode(), Truths("message").add(items, told=False).paper()


def colons() -> Made:
    """1: and a stem, options behind a colon too, empty lines everywhere, answers as whole options at the end."""
    items = english("ohm", "river", "cell")
    lines = ["Mini test", ""]
    for at, item in enumerate(items, start=1):
        lines += [
            f"{at}: {item.stem}",
            "",
            *(f"{LETTERS[index]}: {text}" for index, text in enumerate(item.options)),
            "",
            "",
        ]
    lines += [
        "Answers",
        *(f"{at}: {item.options[LETTERS.index(item.answer)]}" for at, item in enumerate(items, start=1)),
    ]
    return "\n".join(lines).encode(), Truths("colons").add(items, told=True).paper()


LOT_SIX: dict[str, tuple[Callable[[], Made], ...]] = {
    "docx": (decimal_numbers, rubric),
    "txt": (roman_options, message, colons),
    "md": (kinds_zh,),
}
