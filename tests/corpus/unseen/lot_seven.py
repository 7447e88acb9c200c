"""The seventh hand: boards, textbooks, notebooks. Measured before anything was changed for them."""

from __future__ import annotations

from collections.abc import Callable

import docx

from tests.corpus.documents.bank import Item
from tests.corpus.documents.papers import Paper, Style, Truth
from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.word import saved


def admission() -> Made:
    """An admission test: the number alone in its line, A) to D) below, a passage for two questions."""
    passage = "The Danube rises in Germany and flows through ten countries.\nIt reaches the Black Sea in Romania."
    asked = [Item("single", "According to the passage, where does the Danube rise?", ("Austria", "Germany", "Hungary", "Romania"), "B", 1),
             Item("single", "How many countries does it flow through?", ("two", "five", "ten", "twelve"), "C", 1)]  # fmt: skip
    others = english("acid", "verb")
    lines = [
        "Practice Section 1",
        "4 QUESTIONS",
        "",
        "Questions 1-2 are based on the following passage.",
        "",
        *passage.split("\n"),
        "",
    ]
    for at, item in enumerate([*asked, *others], start=1):
        lines += [
            str(at),
            "",
            item.stem,
            "",
            *(f"{LETTERS[index]}) {text}" for index, text in enumerate(item.options)),
            "",
        ]
    context = "Questions 1-2 are based on the following passage.\n" + passage
    truth = [
        Truth(f"Q{at}", "single", item.stem, item.options, None, None, context if at < 3 else None)
        for at, item in enumerate([*asked, *others], start=1)
    ]
    return "\n".join(lines).encode(), Paper("admission", Style("en"), "admission", truth=truth)


def mathematics_board() -> Made:
    """Bold numbers before a tab, dotted lines, (Total for Question 1 is 3 marks)."""
    document = docx.Document()
    document.add_paragraph("Answer ALL questions. Write your answers in the spaces provided.")
    items = english("speed", "mass", "rust")
    for at, item in enumerate(items, start=1):
        paragraph = document.add_paragraph()
        paragraph.add_run(str(at)).bold = True
        paragraph.add_run(f"\t{' '.join(item.stem.split(chr(10)))}")
        document.add_paragraph("." * 80)
        document.add_paragraph(f"(Total for Question {at} is {item.points} marks)")
        document.add_paragraph("_" * 60)
    document.add_paragraph("TOTAL FOR PAPER IS 11 MARKS")
    return saved(document), Truths("mathematics_board").add(items, told=False, points=True).paper()


def calculations_zh() -> Made:
    """Parts on one line: 1.（8分）计算：（1）…；（2）…"""
    document = docx.Document()
    document.add_paragraph("七年级数学周练（五）")
    document.add_paragraph("一、选择题（每题3分）")
    first = chinese("root")[0]
    document.add_paragraph(f"1. {first.stem}（     ）")
    document.add_paragraph("\t".join(f"{LETTERS[index]}. {text}" for index, text in enumerate(first.options)))
    document.add_paragraph("二、计算题")
    document.add_paragraph("2.（8分）计算：（1）12 + 5 - 9；（2）6 × 7 - 20。")
    document.add_paragraph("3.（6分）解方程：2x + 6 = 20。")
    truth = [Truth("Q1", "single", f"{first.stem}（）", first.options, None, 3.0), Truth("Q2(1)", "calculation", "12 + 5 - 9；", (), None, None, "计算："),
             Truth("Q2(2)", "calculation", "6 × 7 - 20。", (), None, None, "计算："), Truth("Q3", "calculation", "解方程：2x + 6 = 20。", (), None, 6.0)]  # fmt: skip
    return saved(document), Paper("calculations_zh", Style("zh"), "calculations_zh", truth=truth)


def notes_page() -> Made:
    """A page from a notebook program: a heading for each question, options as boxes without letters, the answer in a fold."""
    items = english("cell", "river", "metals")
    body = ["<header><h1 class='page-title'>Check-in quiz</h1></header>"]
    for at, item in enumerate(items, start=1):
        boxes = "".join(
            f"<ul class='to-do-list'><li><div class='checkbox checkbox-off'></div> <span>{text}</span></li></ul>"
            for text in item.options
        )
        told = " and ".join(item.options[LETTERS.index(one)] for one in item.answer)
        body.append(
            f"<h3>Question {at}</h3><p>{item.stem}</p>{boxes}<details><summary>Answer</summary><p>{told}</p></details>"
        )
    return f"<html><body><article>{''.join(body)}</article></body></html>".encode(), Truths("notes_page").add(
        items, told=True
    ).paper()


def exercises() -> Made:
    """A textbook's exercises: part (a) in the line of the number, the others in lines of their own."""
    items = english("plants", "pool")
    lines = ["#### Exercise 2.3", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"{at}. {item.stem}", ""]
        lines += [f"    ({letter(index)}) {part.stem}" for index, part in enumerate(item.parts)]
        lines += [""]
    lines += ["3. (a) Name the largest planet.", "    (b) Name the smallest planet.", ""]
    truths = Truths("exercises").add(items, told=False)
    truths.truth += [
        Truth("Q3a", "short", "Name the largest planet.", (), None, None),
        Truth("Q3b", "short", "Name the smallest planet.", (), None, None),
    ]
    return "\n".join(lines).encode(), truths.paper()


def slashes() -> Made:
    """1/ and a/ as many write by hand."""
    items = english("treaty", "ohm", "rust")
    lines = ["Test 15 minutes", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"{at}/ {item.stem}", *(f"  {letter(index)}/ {text}" for index, text in enumerate(item.options)), ""]
    return "\n".join(lines).encode(), Truths("slashes").add(items, told=False).paper()


def bilingual() -> Made:
    """Each stem in two languages, options in both, marks in both."""
    items = [Item("single", "下列哪一种是金属？ Which of these is a metal?", ("硫 sulfur", "铁 iron", "氖 neon", "碳 carbon"), "B", 2),
             Item("single", "水的化学式是什么？ What is the formula of water?", ("CO2", "O2", "H2O", "NaCl"), "C", 2)]  # fmt: skip
    document = docx.Document()
    document.add_heading("双语科学测验 Bilingual Science Quiz", 1)
    for at, item in enumerate(items, start=1):
        document.add_paragraph(f"{at}. {item.stem}（2分 / 2 marks）")
        for index, text in enumerate(item.options):
            document.add_paragraph(f"{LETTERS[index]}. {text}")
    document.add_paragraph("答案 Answers: 1. B  2. C")
    return saved(document), Truths("bilingual", "zh").add(items, told=True, points=True).paper()


LOT_SEVEN: dict[str, tuple[Callable[[], Made], ...]] = {
    "txt": (admission, slashes), "docx": (mathematics_board, calculations_zh, bilingual), "html": (notes_page,), "md": (exercises,),
}  # fmt: skip
