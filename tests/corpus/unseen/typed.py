"""Papers typed into a plain editor, a notebook with Markdown, and TeX: each by another hand."""

from __future__ import annotations

from collections.abc import Callable

from tests.corpus.documents.bank import Item
from tests.corpus.documents.papers import Paper
from tests.corpus.unseen.answers import LETTERS, Truths, letter
from tests.corpus.unseen.bank import chinese, english

Made = tuple[bytes, Paper]


def notepad() -> Made:
    """No empty lines, small letters with tabs, marks at the right edge, the key as one run at the end."""
    choices = english("cell", "treaty", "river", "acid", "verb", "ohm")
    others = english("rome", "speed", "pool")
    lines = [
        "HILLTOP SECONDARY SCHOOL", "Science and Humanities    Term 2 Test    2023/24", "Name: ______________  Class: ______  Date: __________",
        "Instructions:", "1. Answer all questions.", "2. Calculators may not be used.", "3. The time allowed is 45 minutes.", "",
    ]  # fmt: skip
    for at, item in enumerate(choices, start=1):
        lines.append(f"{at}) {item.stem}".ljust(84) + f"[{item.points}]")
        lines.append("\t".join(f"{letter(index)}) {text}" for index, text in enumerate(item.options)))
        if at == 4:
            lines += ["Page 1 of 2", "\f"]
    for at, item in enumerate(others, start=7):
        lines.append(f"{at}) {item.stem}" + ("" if item.parts else f"    [{item.points}]"))
        lines += [f"   ({letter(index)}) {part.stem}    [{part.points}]" for index, part in enumerate(item.parts)]
    lines += [
        "Page 2 of 2",
        "",
        "KEY",
        "1-6: " + "".join(item.answer for item in choices),
        f"7. {others[0].answer}",
        f"8. {others[1].answer}",
    ]
    lines += [f"9. (a) {others[2].parts[0].answer} (b) {others[2].parts[1].answer}"]
    truths = Truths("notepad").add([*choices, *others], told=True, points=True)
    return "\r\n".join(lines).encode(), truths.paper()


def quiz_bank() -> Made:
    """The form that quiz programs import: capital letters one a line, ANSWER: below."""
    items = english("loop", "ohm", "waves", "acid", "metals")
    lines = ["Unit 3 quiz", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"{at}. {item.stem}", *(f"{LETTERS[index]}. {text}" for index, text in enumerate(item.options))]
        lines += [f"ANSWER: {','.join(item.answer)}", ""]
    return "\n".join(lines).encode(), Truths("quiz_bank").add(items, told=True).paper()


def mailed() -> Made:
    """Typed into a mail: Q1 (2 pts), empty lines within questions, options two a line, answers listed below."""
    items = english("treaty", "waves", "river", "moon", "frost", "war", "mass")
    lines = ["Hi all,", "", "here is Friday's quiz. You have 20 minutes. Good luck!", ""]
    for at, item in enumerate(items, start=1):
        lines += [f"Q{at} ({item.points} pt{'s' if item.points > 1 else ''})", "", *item.stem.split("\n"), ""]
        texts = [f"({LETTERS[index]}) {text}" for index, text in enumerate(item.options)]
        lines += ["    ".join(texts[index : index + 2]) for index in range(0, len(texts), 2)] + ["", ""]
    lines += [
        "--------",
        "Answers (don't print!)",
        *(f"Q{at}: {item.answer}" for at, item in enumerate(items, start=1)),
    ]
    return "\n".join(lines).encode("cp1252"), Truths("mailed").add(items, told=True, points=True).paper()


def school_zh() -> Made:
    """A final exam as Chinese schools type it: notes, marks in the headings, four options in a row, the key by sections."""
    choices, blanks = chinese("capital", "tang", "state", "english", "root"), chinese("poem", "area", "year")
    others = chinese("solve", "train", "price")
    lines = ["阳光中学2023—2024学年度第一学期期末质量检测", "七年级综合试题", "（时间：90分钟  满分：100分）", "班级：________  姓名：________  考号：________",
             "注意事项：", "1．本试卷共3页，三大题。", "2．答题前请将姓名写在密封线内。", "一、选择题（本大题共5小题，每小题3分，共15分）"]  # fmt: skip
    for at, item in enumerate(choices, start=1):
        lines.append(f"{at}．{item.stem}（　　）")
        lines.append("　　".join(f"{LETTERS[index]}．{text}" for index, text in enumerate(item.options)))
    lines += ["第 1 页 共 3 页", "二、填空题（每空2分，共6分）"]
    lines += [f"{at}．{item.stem}" for at, item in enumerate(blanks, start=6)]
    lines.append("三、解答题（共20分）")
    for at, item in enumerate(others, start=9):
        lines.append(f"{at}．（本小题满分{item.points}分）{item.stem}")
        lines += [f"（{index}）{part.stem}（{part.points}分）" for index, part in enumerate(item.parts, start=1)]
        lines += ["", ""]
    answers = "".join(item.answer for item in choices)
    lines += [
        "第 3 页 共 3 页",
        "参考答案",
        "一、1—5 " + answers,
        "二、" + "  ".join(f"{at}．{item.answer}" for at, item in enumerate(blanks, start=6)),
    ]
    lines += ["三、9．解：x = 7", "10．（1）1200 米（2）60 秒", "11．160 元"]
    truths = (
        Truths("school_zh", "zh").add(choices, told=True, points=3.0, brackets=True).add(blanks, told=True, points=2.0)
    )
    return "\n".join(lines).encode("gb18030"), truths.add(others, told=True, points=True).paper()


def analysed_zh() -> Made:
    """Copied from a question site: 【答案】【解析】【点评】 below each, numbers with a list comma."""
    items = chinese("light", "gases", "root", "judge1", "why", "garden")
    lines = ["2024年八年级科学专题练习"]
    for at, item in enumerate(items, start=1):
        blank = "（　　）" if item.options or item.type == "true_false" else ""
        lines.append(f"{at}、{item.stem}{blank}")
        lines += [f"{LETTERS[index]}、{text}" for index, text in enumerate(item.options)]
        lines += [f"({index}){part.stem}({part.points}分)" for index, part in enumerate(item.parts, start=1)]
        told = "；".join(f"({index}){part.answer}" for index, part in enumerate(item.parts, start=1)) or item.answer
        lines += [
            f"【答案】{told}",
            "【解析】",
            f"【分析】本题考查第{at}章的基础知识。",
            "【详解】根据课本内容可知。",
            "故选：" + item.answer if item.options else "【点评】基础题。",
        ]
    truths = Truths("analysed_zh", "zh").add(items[:5], told=True, brackets=True).add(items[5:], told=True, points=True)
    return "\n".join(lines).encode("utf-8-sig"), truths.paper()


def bold_markdown() -> Made:
    """Bold numbers and marks, options as a list of its own, answers as quotations."""
    sections = {"Part A - Multiple choice (12 marks, 2 each)": english("cell", "loop", "ohm", "verb", "river", "treaty"),
                "Part B - Written answers": english("rust", "speed", "plants")}  # fmt: skip
    lines = ["# Year 9 Mixed Revision", "", "_Name:_ \\_\\_\\_\\_\\_\\_\\_  _Set:_ \\_\\_\\_", ""]
    truths = Truths("bold_markdown")
    for title, items in sections.items():
        lines += [f"## {title}", ""]
        each = title.startswith("Part A")
        for item in items:
            number = truths.asked + 1
            code = item.stem.split("\n", 1) if item is english("loop")[0] else [item.stem]
            mark = "" if each or item.parts else f" *[{item.points} marks]*"
            lines += [f"**{number}.** {code[0]}{mark}", ""]
            lines += ["```python", *code[1].split("\n"), "```", ""] if len(code) > 1 else []
            lines += [f"   - {LETTERS[index]}) {text}" for index, text in enumerate(item.options)]
            lines += [
                f"   - **({letter(index)})** {part.stem} *[{part.points} marks]*"
                for index, part in enumerate(item.parts)
            ]
            answer = (
                " ".join(f"({letter(index)}) {part.answer}" for index, part in enumerate(item.parts)) or item.answer
            )
            lines += ["", f"> **Answer:** {answer}", ""]
            truths.add([item], told=True, points=2.0 if each else True)
    return "\n".join(lines).encode(), truths.paper()


def lazy_markdown() -> Made:
    """Every item of the list is written 1., as Markdown allows; options are the nested list's items."""
    items = english("acid", "river", "verb", "rust", "essay")
    lines = ["Homework for Monday", "===================", ""]
    for item in items:
        lines += [f"1. {item.stem}", *(f"    {letter(index)}. {text}" for index, text in enumerate(item.options)), ""]
    return "\n".join(lines).encode(), Truths("lazy_markdown").add(items, told=False).paper()


def notes_zh() -> Made:
    """A teacher's notes in Markdown: headings for sections, a table in a stem, bold answers."""
    choices, others = chinese("tang", "light", "state"), chinese("judge2", "poem", "climate", "price")
    table = Item(
        "short",
        "下表是某地三个月的平均气温。\n月份 一月 四月 七月\n气温 2 15 27\n说明气温变化的规律。",
        (),
        "先升高，七月最高",
        4,
    )
    lines = ["# 单元小测（三）", "", "### 一、单选题（每题 3 分）", ""]
    for at, item in enumerate(choices, start=1):
        lines += [
            f"{at}. {item.stem}",
            *(f"   - {LETTERS[index]}. {text}" for index, text in enumerate(item.options)),
            "",
            f"   **答案：{item.answer}**",
            "",
        ]
    lines += ["### 二、其他题", ""]
    for at, item in enumerate(others, start=4):
        lines += [
            f"{at}. {item.stem}（{item.points} 分）",
            "",
            f"   **答案：** {item.answer}",
            "",
            "   **解析：** 略",
            "",
        ]
    lines += [
        "8. 下表是某地三个月的平均气温。",
        "",
        "| 月份 | 一月 | 四月 | 七月 |",
        "|---|---|---|---|",
        "| 气温 | 2 | 15 | 27 |",
        "",
    ]
    lines += ["   说明气温变化的规律。（4 分）", "", f"   **答案：** {table.answer}"]
    truths = Truths("notes_zh", "zh").add(choices, told=True, points=3.0).add([*others, table], told=True, points=True)
    return "\n".join(lines).encode(), truths.paper()


def exam_class() -> Made:
    """LaTeX's exam class, with its solutions printed."""
    items = english("cell", "frost", "metals", "rust", "pool")
    lines = [r"\documentclass[11pt,answers]{exam}", r"\usepackage{amsmath}", r"\pagestyle{headandfoot}", r"\firstpageheader{Biology}{Test 4}{May 2024}",
             r"\begin{document}", r"\begin{center}\fbox{\parbox{5in}{Answer the questions in the spaces provided.}}\end{center}",
             r"\makebox[\textwidth]{Name and section:\enspace\hrulefill}", r"\begin{questions}"]  # fmt: skip
    for item in items:
        stem = item.stem.replace("______", r"\fillin[0][1in]")
        lines.append(rf"\question{'' if item.parts else f'[{item.points}]'} {stem}")
        if item.options:
            lines.append(r"\begin{choices}")
            lines += [
                rf"  \{'CorrectChoice' if LETTERS[at] in item.answer else 'choice'} {text}"
                for at, text in enumerate(item.options)
            ]
            lines.append(r"\end{choices}")
        elif item.parts:
            lines += [
                r"\begin{parts}",
                *(
                    rf"  \part[{part.points}] {part.stem}"
                    "\n"
                    rf"  \begin{{solution}}[1in]{part.answer}\end{{solution}}"
                    for part in item.parts
                ),
                r"\end{parts}",
            ]
        elif item.type == "short":
            lines += [r"\begin{solutionorlines}[2in]", item.answer, r"\end{solutionorlines}"]
    lines += [r"\end{questions}", r"\end{document}"]
    return "\n".join(lines).encode(), Truths("exam_class").add(items, told=True, points=True).paper()


def enumerated_tex() -> Made:
    """Plain enumerate, options in an inner one, marks pushed to the right, numbers resumed after a heading."""
    choices, others = english("ohm", "treaty", "acid"), english("speed", "rome", "plants")
    lines = [r"\documentclass{article}", r"\usepackage{enumitem}", r"\title{Mid-term test}\author{A. Teacher}\date{}", r"\begin{document}", r"\maketitle",
             r"\noindent Name: \underline{\hspace{5cm}} \hfill Time: 40 minutes", r"\section*{Part A: choose one (2 marks each)}",
             r"\begin{enumerate}[leftmargin=*]"]  # fmt: skip
    for item in choices:
        lines += [
            rf"  \item {item.stem}",
            r"    \begin{enumerate}[label=(\Alph*)]",
            *(rf"      \item {text}" for text in item.options),
            r"    \end{enumerate}",
        ]
    lines += [r"\end{enumerate}", r"\section*{Part B: show your work}", r"\begin{enumerate}[resume]"]
    for item in others:
        mark = "" if item.parts else rf" \hfill \textbf{{[{item.points} marks]}}"
        lines.append(rf"  \item {item.stem}{mark}")
        if item.parts:
            lines += [
                r"  \begin{enumerate}[label=(\alph*)]",
                *(rf"    \item {part.stem} \hfill [{part.points}]" for part in item.parts),
                r"  \end{enumerate}",
            ]
        lines.append(r"  \vspace{3cm}")
    lines += [r"\end{enumerate}", r"\end{document}"]
    truths = Truths("enumerated_tex").add(choices, told=False, points=2.0).add(others, told=False, points=True)
    return "\n".join(lines).encode(), truths.paper()


def tasks_zh() -> Made:
    """Chinese LaTeX with ctex: options by the tasks package, sections by number."""
    choices, others = chinese("capital", "root", "light"), chinese("area", "solve", "garden")
    lines = [r"\documentclass[UTF8]{ctexart}", r"\usepackage{tasks,enumitem}", r"\settasks{label=\Alph*.}", r"\begin{document}",
             r"\begin{center}{\Large\bfseries 第三单元测试卷}\end{center}", r"\section*{一、选择题（每小题 3 分）}", r"\begin{enumerate}[label=\arabic*.]"]  # fmt: skip
    for item in choices:
        lines += [
            rf"\item {item.stem}\hfill（\quad）",
            r"\begin{tasks}(4)",
            *(rf"\task {text}" for text in item.options),
            r"\end{tasks}",
        ]
    lines += [r"\end{enumerate}", r"\section*{二、解答题}", r"\begin{enumerate}[label=\arabic*.,start=4]"]
    for item in others:
        lines.append(
            rf"\item {item.stem.replace('________', chr(92) + 'underline{' + chr(92) + 'qquad}')}"
            + ("" if item.parts else f"（{item.points} 分）")
        )
        if item.parts:
            lines += [
                r"\begin{enumerate}[label=(\arabic*)]",
                *(rf"\item {part.stem}（{part.points} 分）" for part in item.parts),
                r"\end{enumerate}",
            ]
    lines += [r"\end{enumerate}", r"\end{document}"]
    truths = (
        Truths("tasks_zh", "zh")
        .add(choices, told=False, points=3.0, brackets=True)
        .add(others, told=False, points=True)
    )
    return "\n".join(lines).encode(), truths.paper()


TYPED: dict[str, tuple[Callable[[], Made], ...]] = {
    "txt": (notepad, quiz_bank, mailed, school_zh, analysed_zh),
    "md": (bold_markdown, lazy_markdown, notes_zh),
    "tex": (exam_class, enumerated_tex, tasks_zh),
}
