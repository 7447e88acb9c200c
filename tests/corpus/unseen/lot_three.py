"""The third hand, written after the readers had been mended for the others. Measured before anything was changed for them."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import docx

from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.word import saved


def office_page() -> Made:
    """Saved as HTML by an office suite: a list of one item for each question, fonts in old tags, options after <br>."""
    items = english("river", "ohm", "frost", "rust")
    body = [
        '<p class="western" align="center" style="margin-bottom: 0cm"><font size="4"><b>Revision sheet</b></font></p>'
    ]
    for at, item in enumerate(items, start=1):
        options = "".join(f"<br/>\n{letter(index)}) {text}" for index, text in enumerate(item.options))
        body.append(
            f'<ol start="{at}">\n\t<li><p style="margin-bottom: 0cm"><font face="Liberation Serif, serif">{item.stem}</font> <font color="#808080">({item.points}p)</font>{options}</p></li>\n</ol>'
        )
    return (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.0 Transitional//EN"><html><body lang="en-GB">'
        + "\n".join(body)
        + "</body></html>"
    ).encode(), Truths("office_page").add(items, told=False, points=True).paper()


def review_page() -> Made:
    """A course platform's review of a quiz: state, marks and flags around each question, the right answer in words."""
    items = english("cell", "treaty", "acid", "bats")
    body = [
        "<h1>Quiz 2: review</h1><table><tr><th>Started on</th><td>Friday, 3 May 2024, 10:02 AM</td></tr><tr><th>State</th><td>Finished</td></tr></table>"
    ]
    for at, item in enumerate(items, start=1):
        right = item.options[LETTERS.index(item.answer)] if item.options else item.answer
        options = "".join(
            f"<div><input type=radio disabled><span class=answernumber>{letter(index)}. </span><div class=flex-fill>{text}</div></div>"
            for index, text in enumerate(item.options)
        )
        body.append(f"<div class=que><div class=info><h3 class=no>Question <span class=qno>{at}</span></h3><div class=state>Incorrect</div><div class=grade>Mark 0.00 out of {item.points}.00</div></div>"
                    f"<div class=content><div class=qtext><p>{escape(item.stem)}</p></div><div class=prompt>Select one:</div><div class=answer>{options}</div>"
                    f"<div class=outcome><div class=rightanswer>The correct answer is: {right}</div></div></div></div>")  # fmt: skip
    return f"<html><body>{''.join(body)}</body></html>".encode(), Truths("review_page").add(
        items, told=True, points=True
    ).paper()


def pasted() -> Made:
    """Copied out of a PDF: lines broken at sixty characters, the running head in between."""
    items = english("waves", "ohm", "plants", "mass", "author")
    lines = ["Northfield College", "Physics and Biology Mock", ""]
    for at, item in enumerate(items, start=1):
        lines += _broken(f"{at}. {item.stem.replace('3.5 kg', '3.5 kg')}", 60)
        lines += [f"{LETTERS[index]} {text}" for index, text in enumerate(item.options)]
        for index, part in enumerate(item.parts):
            lines += [f"({letter(index)}) {part.stem}", f"[{part.points}]"]
        if not item.parts:
            lines.append(f"[{item.points}]")
        if at == 2:
            lines += ["Northfield College   Physics and Biology Mock   3", "© 2024"]
    return "\n".join(lines).encode(), Truths("pasted").add(items, told=False, points=True).paper()


def _broken(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + len(word) > width:
                lines.append(line)
                line = ""
            line = f"{line} {word}".strip()
        lines.append(line)
    return lines


def examination_board() -> Made:
    """A British board's paper in Word: numbers without a stop, part (a) on the line of its number, totals after each question."""
    document = docx.Document()
    document.add_paragraph("Candidate Name ____________________   Centre Number ______   Candidate Number ______")
    document.add_paragraph("COMBINED SCIENCE   0653/31")
    document.add_paragraph("READ THESE INSTRUCTIONS FIRST")
    document.add_paragraph("Answer all questions. You may lose marks if you do not show your working.")
    items = english("pool", "plants")
    for at, item in enumerate(items, start=1):
        document.add_paragraph(f"{at}\t{item.stem}")
        for index, part in enumerate(item.parts):
            document.add_paragraph(f"\t({letter(index)})\t{part.stem}")
            document.add_paragraph("." * 100 + f" [{part.points}]")
        document.add_paragraph(f"[Total: {sum(part.points for part in item.parts)}]")
    return saved(document), Truths("examination_board").add(items, told=False, points=True).paper()


def entrance_zh() -> Made:
    """The wording of an entrance examination: long headings, marks before the stem, parts after a semicolon on one line."""
    document = docx.Document()
    document.add_paragraph("2024年普通高等学校招生全国统一考试模拟卷")
    document.add_paragraph("文科综合")
    document.add_paragraph("本试卷共2页，满分50分，考试时间60分钟。")
    groups = (("一、选择题：本题共3小题，每小题3分，共9分。在每小题给出的四个选项中，只有一项是符合题目要求的。", chinese("capital", "root", "english"), 3.0),
              ("二、填空题：本题共2小题，每小题2分，共4分。", chinese("area", "year"), 2.0),
              ("三、解答题：本题共2小题，共14分。解答应写出文字说明、证明过程或演算步骤。", chinese("train", "solve"), True))  # fmt: skip
    truths, number = Truths("entrance_zh", "zh"), 0
    for title, items, points in groups:
        document.add_paragraph(title)
        for item in items:
            number += 1
            lead = f"（{sum(part.points for part in item.parts) or item.points}分）" if points is True else ""
            document.add_paragraph(f"{number}．{lead}{item.stem}")
            if item.options:
                document.add_paragraph(
                    "\t".join(f"{LETTERS[index]}．{text}" for index, text in enumerate(item.options))
                )
            if item.parts:
                document.add_paragraph(
                    "".join(f"（{index}）{part.stem}" for index, part in enumerate(item.parts, start=1))
                )
        if points is True:
            truths.add([items[0]], told=False).add(items[1:], told=False, points=True)
        else:
            truths.add(items, told=False, points=points)
    return saved(document), truths.paper()


def learning_app_zh() -> Made:
    """What a learning app exports: the kind in boxes, my answer beside the right one, difficulty and topic below."""
    items = chinese("light", "gases", "judge2", "state")
    names = {"single": "单选题", "multiple": "多选题", "true_false": "判断题"}
    lines = ["第三章 章节测验", "题量: 4   满分: 100.0", ""]
    for at, item in enumerate(items, start=1):
        lines.append(f"{at}. 【{names[item.type]}】{item.stem}")
        lines += [f"{LETTERS[index]}. {text}" for index, text in enumerate(item.options)]
        wrong = "A" if item.options else "√"
        lines += [
            f"我的答案：{wrong}",
            f"正确答案：{item.answer}",
            "答案解析：见教材第三章。",
            "难易度：易",
            "知识点：综合",
            "",
        ]
    truths = Truths("learning_app_zh", "zh").add(items, told=True)
    return "\n".join(lines).encode(), truths.paper()


def tabular_tex() -> Made:
    """Bold numbers typed by hand, options in a tabular, marks in the margin."""
    items = english("river", "acid", "speed")
    lines = [
        r"\documentclass{article}",
        r"\newcommand{\marks}[1]{\hfill\textbf{[#1]}}",
        r"\begin{document}",
        r"\begin{center}\textsc{Spring Test}\end{center}",
    ]
    for at, item in enumerate(items, start=1):
        lines += ["", rf"\noindent\textbf{{{at}.}} {item.stem} \marks{{{item.points}}}", ""]
        if item.options:
            cells = [f"{LETTERS[index]}. {text}" for index, text in enumerate(item.options)]
            lines += [
                r"\begin{tabular}{ll}",
                f"{cells[0]} & {cells[1]} \\\\",
                f"{cells[2]} & {cells[3]} \\\\",
                r"\end{tabular}",
            ]
        lines.append(r"\bigskip")
    lines.append(r"\end{document}")
    return "\n".join(lines).encode(), Truths("tabular_tex").add(items, told=False, points=True).paper()


def plain_bullets() -> Made:
    """Options as dots without letters: what is chosen has no name, so a person must look."""
    items = english("acid", "river", "rome")
    lines = ["# Exit ticket", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"{at}. {item.stem}", *(f"   - {text}" for text in item.options), ""]
    return "\n".join(lines).encode(), Truths("plain_bullets").add(items, told=False).paper()


def circled() -> Made:
    """Letters in circles, a line between questions, GO ON at the end of the page."""
    items = english("cell", "treaty", "loop")
    lines = ["SESSION 1", "Mark only one answer for each question.", ""]
    for at, item in enumerate(items, start=1):
        lines += [
            f"{at}  {item.stem}",
            *(f"   {chr(ord('Ⓐ') + index)}  {text}" for index, text in enumerate(item.options)),
            "-" * 40,
        ]
    lines.append("GO ON TO THE NEXT PAGE")
    return "\n".join(lines).encode(), Truths("circled").add(items, told=False).paper()


LOT_THREE: dict[str, tuple[Callable[[], Made], ...]] = {
    "html": (office_page, review_page), "txt": (pasted, learning_app_zh, circled), "docx": (examination_board, entrance_zh), "tex": (tabular_tex,),
    "md": (plain_bullets,),
}  # fmt: skip
