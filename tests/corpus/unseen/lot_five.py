"""The fifth hand: what teachers have most of today. Measured before anything was changed for them."""

from __future__ import annotations

import io
from collections.abc import Callable

import docx
from PIL import Image, ImageDraw

from tests.corpus.documents.bank import Item
from tests.corpus.documents.papers import Paper, Style, Truth
from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.word import saved


def drawn_zh() -> Made:
    """Figures below the options, with 第2题图 under them."""
    document = docx.Document()
    document.add_heading("八年级物理随堂检测", 1)
    items = chinese("light", "state", "tang", "why")
    for at, item in enumerate(items, start=1):
        document.add_paragraph(f"{at}．{item.stem}" + ("（    ）" if item.options else f"（{item.points}分）"))
        if item.options:
            document.add_paragraph("    ".join(f"{LETTERS[index]}．{text}" for index, text in enumerate(item.options)))
        if at in {1, 2}:
            document.add_picture(_drawing())
            document.add_paragraph(f"第{at}题图")
    truths = Truths("drawn_zh", "zh").add(items[:3], told=False, brackets=True).add(items[3:], told=False, points=True)
    return saved(document), truths.paper()


def _drawing() -> io.BytesIO:
    picture = Image.new("RGB", (160, 90), "white")
    ImageDraw.Draw(picture).ellipse((20, 10, 140, 80), outline="black", width=3)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    stream.seek(0)
    return stream


def captioned() -> Made:
    """“Figure 1” below a picture, and a word bank in a frame above the blanks."""
    document = docx.Document()
    document.add_heading("Science worksheet 4", 1)
    first, second = english("cell", "acid")
    document.add_paragraph(f"1. {first.stem}")
    for index, text in enumerate(first.options):
        document.add_paragraph(f"{LETTERS[index]}. {text}")
    document.add_picture(_drawing())
    document.add_paragraph("Figure 1: A plant cell")
    document.add_paragraph(f"2. {second.stem}")
    for index, text in enumerate(second.options):
        document.add_paragraph(f"{LETTERS[index]}. {text}")
    document.add_heading("Fill in the blanks (1 mark each)", 2)
    document.add_table(rows=1, cols=1).cell(0, 0).text = "0    100    Orwell    Dickens"
    blanks = english("frost", "author")
    for at, item in enumerate(blanks, start=3):
        document.add_paragraph(f"{at}. {item.stem}")
    return saved(document), Truths("captioned").add([first, second], told=False).add(
        blanks, told=False, points=1.0
    ).paper()


def roman_sections() -> Made:
    """I. II. III. with the numbers going on, and an essay that has a heading of its own."""
    choices, judged, others = english("treaty", "river", "ohm"), english("bats", "moon"), english("rust", "war")
    judged = [Item("true_false", item.stem.removeprefix("True or false: "), (), item.answer, 2) for item in judged]
    lines = [
        "Mr. Keller's Class - Chapter 9 Test",
        "Name: __________________",
        "",
        "I. Multiple Choice (3 points each)",
        "",
    ]
    for at, item in enumerate(choices, start=1):
        lines += [
            f"{at}. {item.stem}",
            *(f"   {LETTERS[index]}. {text}" for index, text in enumerate(item.options)),
            "",
        ]
    lines += ["II. True or False (2 points each)", ""]
    lines += [f"{at}. {item.stem}  T  F" for at, item in enumerate(judged, start=4)]
    lines += ["", "III. Short Answer (5 points each)", ""]
    for at, item in enumerate(others, start=6):
        lines += [f"{at}. {item.stem}", "", "_" * 70, "", "_" * 70, ""]
    lines += [
        "ANSWER KEY",
        "I. 1. C  2. B  3. B",
        "II. 4. T  5. F",
        f"III. 6. {others[0].answer}",
        f"7. {others[1].answer}",
    ]
    answered = [Item("true_false", item.stem, (), item.answer[0], 2) for item in judged]
    truths = (
        Truths("roman_sections")
        .add(choices, told=True, points=3.0)
        .add(answered, told=True, points=2.0)
        .add(others, told=True, points=5.0)
    )
    return "\n".join(lines).encode(), truths.paper()


def assistant() -> Made:
    """Markdown as writing assistants give it: everything bold, two spaces at the line ends, a key with words behind the letters."""
    choices, others = english("cell", "treaty", "acid", "verb"), english("rust", "speed")
    lines = [
        "# **Grade 8 General Quiz**",
        "",
        "**Total Marks: 14** | **Time: 30 minutes**",
        "",
        "---",
        "",
        "### **Section A: Multiple Choice Questions (2 marks each)**",
        "",
    ]
    for at, item in enumerate(choices, start=1):
        lines += [
            f"**{at}. {item.stem}**  ",
            *(f"{letter(index)}) {text}  " for index, text in enumerate(item.options)),
            "",
        ]
    lines += ["---", "", "### **Section B: Short Answer Questions (3 marks each)**", ""]
    for at, item in enumerate(others, start=5):
        lines += [f"**{at}. {item.stem}**  ", ""]
    lines += ["---", "", "### **Answer Key**", "", "**Section A:**"]
    lines += [
        f"{at}. **{item.answer.lower()}) {item.options[LETTERS.index(item.answer)]}**  "
        for at, item in enumerate(choices, start=1)
    ]
    lines += ["", "**Section B:**", *(f"{at}. {item.answer}  " for at, item in enumerate(others, start=5))]
    truths = Truths("assistant").add(choices, told=True, points=2.0).add(others, told=True, points=3.0)
    return "\n".join(lines).encode(), truths.paper()


def assistant_zh() -> Made:
    """The same in Chinese, with 解析 behind each answer of the key."""
    choices, blanks = chinese("tang", "light", "root"), chinese("poem", "year")
    lines = ["# 七年级综合测试卷", "", "## 一、选择题（每题3分，共9分）", ""]
    for at, item in enumerate(choices, start=1):
        lines += [
            f"{at}. **{item.stem}（  ）**  ",
            *(f"   {LETTERS[index]}. {text}  " for index, text in enumerate(item.options)),
            "",
        ]
    lines += ["## 二、填空题（每题2分，共4分）", ""]
    for at, item in enumerate(blanks, start=4):
        lines += [f"{at}. {item.stem}  ", ""]
    lines += ["---", "", "## 参考答案与解析", "", "### 一、选择题", ""]
    lines += [f"{at}. **{item.answer}**  解析：这是课本上的内容。" for at, item in enumerate(choices, start=1)]
    lines += ["", "### 二、填空题", "", *(f"{at}. **{item.answer}**" for at, item in enumerate(blanks, start=4))]
    truths = (
        Truths("assistant_zh", "zh")
        .add(choices, told=True, points=3.0, brackets=True)
        .add(blanks, told=True, points=2.0)
    )
    return "\n".join(lines).encode(), truths.paper()


def key_in_tex() -> Made:
    """The key is a list without numbers of its own: \\item B \\item A."""
    items = english("cell", "ohm", "river", "acid")
    lines = [
        r"\documentclass{article}",
        r"\usepackage{enumitem}",
        r"\begin{document}",
        r"\section*{Multiple Choice Test}",
        r"\begin{enumerate}[label=\textbf{\arabic*.}]",
    ]
    for item in items:
        lines += [
            rf"\item {item.stem}",
            r"\begin{enumerate}[label=\Alph*)]",
            *(rf"\item {text}" for text in item.options),
            r"\end{enumerate}",
        ]
    lines += [
        r"\end{enumerate}",
        r"\newpage",
        r"\section*{Answer Key}",
        r"\begin{enumerate}",
        *(rf"\item {item.answer}" for item in items),
        r"\end{enumerate}",
        r"\end{document}",
    ]
    return "\n".join(lines).encode(), Truths("key_in_tex").add(items, told=True).paper()


def passage_zh() -> Made:
    """Chinese: a text of several paragraphs for three questions, one of them with parts that are blanks."""
    passage = [
        "春天来了，校园里的桃花开了。",
        "小明每天早上都要去看一看。他发现，太阳升起的时候，花朵开得最好。",
        "1998年种下的那棵树，今年长得最高。",
    ]
    lines = ["七年级语文阅读练习", "阅读下面的文字，完成1～3题。", *("　　" + text for text in passage)]
    first = Item("single", "文中的花是", ("梅花", "桃花", "菊花", "兰花"), "B", 3)
    lines += [f"1．{first.stem}（　　）（{first.points}分）", "A．梅花　　B．桃花　　C．菊花　　D．兰花"]
    lines += [
        "2．请简述小明的发现。（4分）",
        "3．根据短文填空。（4分）",
        "（1）最高的树是________年种下的。",
        "（2）小明________都要去看花。",
    ]
    context = "阅读下面的文字，完成1～3题。\n" + "\n".join(passage)
    truth = [Truth("Q1", "single", f"{first.stem}（）", first.options, None, 3.0, context), Truth("Q2", "short", "请简述小明的发现。", (), None, 4.0, context),
             Truth("Q3(1)", "blank", "最高的树是________年种下的。", (), None, None, f"{context}\n根据短文填空。"),
             Truth("Q3(2)", "blank", "小明________都要去看花。", (), None, None, f"{context}\n根据短文填空。")]  # fmt: skip
    return "\n".join(lines).encode(), Paper("passage_zh", Style("zh"), "passage_zh", truth=truth)


def cards() -> Made:
    """A web quiz: each question in a card with a badge for its marks, options as list items with letters in spans."""
    items = english("river", "metals", "ohm", "frost")
    body = ["<h1>Science &amp; more</h1>"]
    for at, item in enumerate(items, start=1):
        options = "".join(
            f"<li class='list-group-item'><span class='badge'>{LETTERS[index]}</span> {text}</li>"
            for index, text in enumerate(item.options)
        )
        body.append(f"<div class='card'><div class='card-header'>Question {at} of {len(items)} <span class='badge'>{item.points} marks</span></div>"
                    f"<div class='card-body'><p>{item.stem}</p><ul class='list-group'>{options}</ul></div></div>")  # fmt: skip
    return f"<html><body><main>{''.join(body)}</main></body></html>".encode(), Truths("cards").add(
        items, told=False, points=True
    ).paper()


LOT_FIVE: dict[str, tuple[Callable[[], Made], ...]] = {
    "docx": (drawn_zh, captioned), "txt": (roman_sections, passage_zh), "md": (assistant, assistant_zh), "tex": (key_in_tex,), "html": (cards,),
}  # fmt: skip
