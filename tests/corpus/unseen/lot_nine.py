"""The ninth hand: ordinary papers once more, from other subjects. Measured before anything was changed for them."""

from __future__ import annotations

from collections.abc import Callable

import docx

from tests.corpus.documents.bank import Item
from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.word import Lists, numbered, saved

GAPS = (
    Item("blank", "She ______ (go) to the market yesterday.", (), "went", 1),
    Item("blank", "They have lived here ______ 2010.", (), "since", 1),
    Item("blank", "If it rains, we ______ (stay) at home.", (), "will stay", 1),
)
HISTORY = (
    Item("short", "In which century did the Industrial Revolution begin?", (), "The eighteenth", 2),
    Item("short", "Who was crowned emperor in Paris in 1804?", (), "Napoleon", 2),
    Item("essay", "Discuss the causes of the First World War in at least 200 words.", (), "", 12),
)


def grammar() -> Made:
    """An English lesson's test: tasks in roman numerals, gaps numbered within, the key in brackets at the end."""
    choices = english("verb", "treaty")
    lines = [
        "Progress Test 2B",
        "Name ........................ Group ......",
        "",
        "Task 1. Complete the sentences. (1 point each)",
        "",
    ]
    lines += [f"{at}. {item.stem}" for at, item in enumerate(GAPS, start=1)]
    lines += ["", "Task 2. Choose the correct option. (2 points each)", ""]
    for at, item in enumerate(choices, start=4):
        lines += [
            f"{at}. {item.stem}",
            "   " + "    ".join(f"{letter(index)}) {text}" for index, text in enumerate(item.options)),
        ]
    lines += ["", "Total: ___ / 7"]
    truths = Truths("grammar").add(GAPS, told=False, points=1.0).add(choices, told=False, points=2.0)
    return "\n".join(lines).encode(), truths.paper()


def history_word() -> Made:
    """Word: a picture of a source above the questions, marks in italics, an essay with a choice of words."""
    document = docx.Document()
    document.add_heading("History: Revolutions and War", 0)
    document.add_paragraph("Time allowed: 45 minutes. Answer every question.")
    for at, item in enumerate(HISTORY, start=1):
        paragraph = document.add_paragraph(f"{at}. {item.stem} ")
        paragraph.add_run(f"({item.points} marks)").italic = True
        for _ in range(3):
            document.add_paragraph("_" * 70)
    return saved(document), Truths("history_word").add(HISTORY, told=False, points=True).paper()


def mixed_list() -> Made:
    """Word: questions by an automatic list, options typed with tabs in one paragraph, the answers in a list of its own."""
    document = docx.Document()
    document.add_paragraph("Quick check", style="Title")
    lists = Lists(document)
    questions, answers = lists.define((("decimal", "%1)"),)), lists.define((("decimal", "%1)"),))
    items = english("ohm", "acid", "river", "cell")
    for item in items:
        numbered(document, item.stem, questions)
        document.add_paragraph("\t".join(f"{LETTERS[index]}. {text}" for index, text in enumerate(item.options)))
    document.add_paragraph("Answer key", style="Heading 1")
    for item in items:
        numbered(document, item.answer, answers)
    return saved(document), Truths("mixed_list").add(items, told=True).paper()


def weekly_zh() -> Made:
    """Chinese weekly paper: sections numbered （一）（二）, marks in the section, answers on the last page by number."""
    choices, others = chinese("capital", "tang", "light"), chinese("judge1", "judge2", "poem")
    lines = ["四年级语文与科学周末练习卷", "姓名：        家长签字：", "", "（一）选一选（每题3分，共9分）"]
    for at, item in enumerate(choices, start=1):
        lines += [
            f"{at}、{item.stem}（      ）",
            "  ".join(f"{LETTERS[index]}.{text}" for index, text in enumerate(item.options)),
        ]
    lines += ["（二）判一判、填一填（每题2分，共6分）"]
    lines += [
        f"{at}、{item.stem}" + ("（      ）" if item.type == "true_false" else "")
        for at, item in enumerate(others, start=4)
    ]
    lines += ["", "【参考答案】", "1、B  2、B  3、C  4、√  5、×", f"6、{others[2].answer}"]
    truths = (
        Truths("weekly_zh", "zh")
        .add(choices, told=True, points=3.0, brackets=True)
        .add(others, told=True, points=2.0, brackets=True)
    )
    return "\n".join(lines).encode(), truths.paper()


def course_notes() -> Made:
    """Markdown course notes with exercises in the middle: numbered remarks above, solutions hidden below."""
    items = english("rust", "speed", "mass")
    lines = [
        "# Week 6: Forces and materials",
        "",
        "Remember:",
        "",
        "- Iron rusts.",
        "- Speed is distance over time.",
        "",
        "## Exercises",
        "",
    ]
    for at, item in enumerate(items, start=1):
        lines += [
            f"**Exercise {at}.** {' '.join(item.stem.split(chr(10)))}",
            "",
            "<details>",
            "<summary>Solution</summary>",
            "",
            item.answer,
            "",
            "</details>",
            "",
        ]
    return "\n".join(lines).encode(), Truths("course_notes").add(items, told=True).paper()


def survey_page() -> Made:
    """A form's page: fieldsets with legends, options as labels behind round buttons, a star for what must be answered."""
    items = english("treaty", "bats", "river")
    body = ["<form><h1>Revision form</h1>"]
    for at, item in enumerate(items, start=1):
        options = item.options or ("True", "False")
        labels = "".join(f"<label><input type='radio'> {text}</label><br>" for text in options)
        body.append(f"<fieldset><legend>{at}. {item.stem} <span class='required'>*</span></legend>{labels}</fieldset>")
    shown = [Item(item.type, item.stem, item.options or ("True", "False"), item.answer, item.points) for item in items]
    return ("<html><body>" + "".join(body) + "<button>Submit</button></form></body></html>").encode(), Truths(
        "survey_page"
    ).add(shown, told=False).paper()


LOT_NINE: dict[str, tuple[Callable[[], Made], ...]] = {
    "txt": (grammar, weekly_zh), "docx": (history_word, mixed_list), "md": (course_notes,), "html": (survey_page,),
}  # fmt: skip
