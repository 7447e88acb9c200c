"""More typed papers: worksheets with the blank before the number, papers with OR, quiz programs' Markdown, a primary school's test."""

from __future__ import annotations

from collections.abc import Callable

from tests.corpus.documents.bank import Item
from tests.corpus.documents.papers import Paper, Style, Truth
from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import EN, chinese, english

Made = tuple[bytes, Paper]


def american() -> Made:
    """_____ 1. with the blank for the letter before the number, Directions:, a bonus, the key typed by sections."""
    choices, judged = english("cell", "river", "acid", "metals"), english("moon", "bats")
    stems = [item.stem.removeprefix("True or false: ") for item in judged]
    judged = [Item("true_false", stem, (), item.answer, 1) for stem, item in zip(stems, judged, strict=True)]
    others = english("rome", "mass")
    lines = ["Name_________________________   Date______________   Period_____", "", "Unit 2 Review", "",
             "Multiple Choice (2 pts. each)", "Directions: Write the letter of the best answer in the blank.", ""]  # fmt: skip
    for at, item in enumerate(choices, start=1):
        lines += [
            f"_____ {at}. {item.stem}",
            *(f"        {letter(index)}. {text}" for index, text in enumerate(item.options)),
            "",
        ]
    lines += ["True/False (1 pt. each)", "Directions: Write T if the statement is true and F if it is false.", ""]
    lines += [f"_____ {at}. {item.stem}" for at, item in enumerate(judged, start=5)]
    lines += ["", "Short Answer (show all work)", ""]
    for at, item in enumerate(others, start=7):
        lines += [f"{at}. {item.stem} ({item.points} pts.)", "", "", ""]
    truths = (
        Truths("american")
        .add(choices, told=False, points=2.0)
        .add(judged, told=False, points=1.0)
        .add(others, told=False, points=True)
    )
    return "\n".join(lines).encode(), truths.paper()


def with_or() -> Made:
    """Q.1), marks as bare numbers at the end of the line, OR between two questions of which one is chosen."""
    items = english("verb", "treaty", "speed", "rust", "essay")
    choice = Item("short", f"{EN['war'].stem}\nOR\n{EN['rome'].stem}", (), "", 3)
    lines = ["GREENFIELD PUBLIC SCHOOL", "HALF YEARLY EXAMINATION (2023-24)", "CLASS: VIII", "SUBJECT: GENERAL STUDIES", "TIME: 1 HR.               M.M.: 24", "",
             "General Instructions:", "(i) All questions are compulsory.", "(ii) Marks are shown against each question.", ""]  # fmt: skip
    for at, item in enumerate([*items[:4], choice, items[4]], start=1):
        first, *rest = item.stem.split("\n")
        lines += [f"Q.{at}) {first}", *rest]
        lines[-1 - (2 if rest and "OR" in rest else 0)] += f"   ({item.points} marks)" if item is not choice else ""
        if item is choice:
            lines[-1] += f"   ({item.points} marks)"
        if item.options:
            lines.append("      ".join(f"({letter(index)}) {text}" for index, text in enumerate(item.options)))
    lines.append("*****")
    truths = Truths("with_or").add([*items[:4], choice, items[4]], told=False, points=True)
    return "\n".join(lines).encode(), truths.paper()


def on_one_line() -> Made:
    """Stem and options on one line, several questions with nothing between them, the key in one paragraph."""
    items = english("cell", "ohm", "river", "acid", "verb")
    lines = ["Warm-up 12"]
    for at, item in enumerate(items, start=1):
        lines.append(
            f"{at}. {item.stem}  " + "  ".join(f"{letter(index)}) {text}" for index, text in enumerate(item.options))
        )
    lines += ["", "Key: " + ", ".join(f"{at}) {item.answer.lower()}" for at, item in enumerate(items, start=1))]
    return "\n".join(lines).encode(), Truths("on_one_line").add(items, told=True).paper()


def primary_zh() -> Made:
    """A primary school's test: brackets before the number, √ and ×, answers by sections under 答案."""
    judged, choices, blanks, others = (
        chinese("judge1", "judge2"),
        chinese("light", "capital", "root"),
        chinese("poem", "year"),
        chinese("climate", "price"),
    )
    lines = [
        "三年级科学下册期中测试",
        "班级            姓名            成绩            ",
        "一、判断题。（对的打“√”，错的打“×”，每题2分，共4分）",
    ]
    lines += [f"（    ）{at}.{item.stem}" for at, item in enumerate(judged, start=1)]
    lines.append("二、选择题。（将正确答案的序号填在括号里，每题3分，共9分）")
    for at, item in enumerate(choices, start=1):
        lines += [
            f"（    ）{at}.{item.stem}",
            "     ".join(f"{LETTERS[index]}.{text}" for index, text in enumerate(item.options)),
        ]
    lines.append("三、填空题。（每空2分，共4分）")
    lines += [f"{at}.{item.stem}" for at, item in enumerate(blanks, start=1)]
    lines.append("四、解答题。（共10分）")
    lines += [f"{at}.{item.stem}（{item.points}分）\n\n" for at, item in enumerate(others, start=1)]
    lines += [
        "答案：",
        "一、1.√  2.×",
        "二、1." + choices[0].answer + "  2." + choices[1].answer + "  3." + choices[2].answer,
    ]
    lines += [
        "三、1." + blanks[0].answer + "  2." + blanks[1].answer,
        f"四、1.{others[0].answer}",
        f"2.{others[1].answer}",
    ]
    truth: list[Truth] = []
    for group, (items, points) in enumerate(((judged, 2.0), (choices, 3.0), (blanks, 2.0), (others, True)), start=1):
        one = Truths("", "zh").add(items, told=True, points=points)
        truth += [Truth(f"S{group}{t.question_id}" if group > 1 else t.question_id, *_rest(t)) for t in one.truth]
    return "\n".join(lines).encode(), Paper("primary_zh", Style("zh"), "primary_zh", truth=truth)


def _rest(truth: Truth) -> tuple[str, str, tuple[str, ...], str | None, float | None]:
    return truth.type, truth.stem, truth.options, truth.answer, truth.max_score


def reading_zh() -> Made:
    """An English paper in China: a passage for several questions, numbers that go on over the sections."""
    passage = "Tom lives in London. He gets up at 6:30 every day and walks to school.\nOn Sundays he plays tennis with his sister."
    items = [Item("single", "Where does Tom live?", ("In Paris.", "In London.", "In Rome.", "In Berlin."), "B", 2),
             Item("single", "How does Tom go to school?", ("By bus.", "By car.", "On foot.", "By bike."), "C", 2),
             Item("single", "What does he do on Sundays?", ("He sleeps.", "He reads.", "He cooks.", "He plays tennis."), "D", 2)]  # fmt: skip
    first = chinese("english") + english("verb")
    lines = ["八年级英语周测", "Ⅰ. 单项选择（每小题3分，共6分）"]
    for at, item in enumerate(first, start=1):
        lines += [
            f"(   ) {at}. {item.stem}",
            "  ".join(f"{LETTERS[index]}. {text}" for index, text in enumerate(item.options)),
        ]
    lines += ["Ⅱ. 阅读理解（每小题2分，共6分）", "阅读短文，回答第3至5题。", *passage.split("\n")]
    for at, item in enumerate(items, start=3):
        lines += [
            f"(   ) {at}. {item.stem}",
            *("  ".join(f"{LETTERS[index]}. {item.options[index]}" for index in pair) for pair in ((0, 1), (2, 3))),
        ]
    lines += ["Keys: 1-5 " + "".join(item.answer for item in [*first, *items])]
    truths = Truths("reading_zh", "zh").add(first, told=True, points=3.0)
    context = "阅读短文，回答第3至5题。\n" + passage
    for at, item in enumerate(items, start=3):
        truths.truth.append(Truth(f"Q{at}", item.type, item.stem, item.options, item.answer, 2.0, context))
    return "\n".join(lines).encode("gb18030"), truths.paper()


def ticked_boxes() -> Made:
    """A quiz in a repository: a heading for each question, boxes without letters, the right ones ticked."""
    items = english("cell", "loop", "metals", "treaty", "frost")
    lines = ["# Module 4 quiz", ""]
    for at, item in enumerate(items, start=1):
        first, *code = item.stem.split("\n")
        lines += [f"## Question {at} ({item.points} points)", "", first, ""]
        lines += ["```", *code, "```", ""] if code else []
        lines += [
            f"- [{'x' if LETTERS[index] in item.answer else ' '}] {text}" for index, text in enumerate(item.options)
        ]
        lines += ["", f"<details><summary>Answer</summary>{item.answer}</details>", ""] if not item.options else [""]
    return "\n".join(lines).encode(), Truths("ticked_boxes").add(items, told=True, points=True).paper()


def starred() -> Made:
    """The text that quiz converters take: a star before the right option, points on a line above."""
    items = english("acid", "ohm", "river", "author")
    lines = ["Quiz title: Weekly check", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"Points: {item.points}", f"{at}. {item.stem}"]
        lines += [
            f"{'*' if LETTERS[index] in item.answer else ''}{letter(index)}) {text}"
            for index, text in enumerate(item.options)
        ]
        lines += [f"* {item.answer}"] if not item.options else []
        lines.append("")
    truths = Truths("starred").add(items[:3], told=True, points=True)
    return "\n".join(lines).encode(), truths.add(
        [Item("blank", items[3].stem, (), items[3].answer, 1)], told=True, points=True
    ).paper()


def mathematics_tex() -> Made:
    """Options behind \\quad on one line, fractions and powers in the stem, answers after \\textbf{Answer:}."""
    items = [Item("single", "Simplify $\\frac{6}{8}$.", ("$\\frac{1}{2}$", "$\\frac{3}{4}$", "$\\frac{2}{3}$", "$\\frac{4}{3}$"), "B", 2),
             Item("single", "What is $2^{3} \\times 2^{2}$?", ("$2^{5}$", "$2^{6}$", "$4^{5}$", "$4^{6}$"), "A", 2),
             Item("calculation", "Solve $x^2 - 9 = 0$ for $x > 0$.", (), "$x = 3$", 3)]  # fmt: skip
    lines = [r"\documentclass[12pt]{article}", r"\usepackage{amsmath,multicol}", r"\begin{document}", r"\begin{center}\textbf{\Large Algebra Quiz}\end{center}",
             r"\begin{enumerate}"]  # fmt: skip
    for item in items:
        lines += [r"\item " + item.stem + rf" \textit{{({item.points} points)}}", ""]
        if item.options:
            lines += [r" \quad ".join(f"({LETTERS[index]}) {text}" for index, text in enumerate(item.options)), ""]
        lines += [rf"\textbf{{Answer:}} {item.answer}", r"\vspace{1cm}", ""]
    lines += [r"\end{enumerate}", r"\end{document}"]
    return "\n".join(lines).encode(), Truths("mathematics_tex").add(items, told=True, points=True).paper()


WORKSHEETS: dict[str, tuple[Callable[[], Made], ...]] = {
    "txt": (american, with_or, on_one_line, primary_zh, reading_zh),
    "md": (ticked_boxes, starred),
    "tex": (mathematics_tex,),
}
