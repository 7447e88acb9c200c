"""Papers as web pages: saved from a word processor, from a shared document, exported by a learning platform; and pages to print."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tests.corpus.unseen.answers import LETTERS, Truths
from tests.corpus.unseen.bank import chinese, english
from tests.corpus.unseen.typed import Made

SPACER = "<span style='font:7.0pt \"Times New Roman\"'>&nbsp;&nbsp;&nbsp;&nbsp;&nbsp; </span>"


def _br(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>\n")


def saved_from_word() -> Made:
    """What “Web page, filtered” writes: typed-out list numbers in spans, hard spaces, Western Windows characters."""
    items = english("verb", "river", "waves", "author", "rome")
    body = [
        "<p class=MsoTitle><span lang=EN-GB>Spring Review \u2013 Form 3</span></p>",
        "<p class=MsoNormal><span lang=EN-GB>&nbsp;</span></p>",
    ]
    for at, item in enumerate(items, start=1):
        stem = _br(item.stem).replace("_", "\u005f")
        body.append(
            f"<p class=MsoListParagraph style='margin-left:18.0pt;text-indent:-18.0pt'><span\nlang=EN-GB>{at}.{SPACER}</span><span lang=EN-GB>{stem} ({item.points}\npoints)</span></p>"
        )
        body += [
            f"<p class=MsoListParagraph style='margin-left:54.0pt;text-indent:-18.0pt'><span lang=EN-GB>{LETTERS[index]}.{SPACER}</span><span\nlang=EN-GB>{text}</span></p>"
            for index, text in enumerate(item.options)
        ]
        body.append("<p class=MsoNormal><span lang=EN-GB>&nbsp;</span></p>")
    page = ("<html>\n<head>\n<meta http-equiv=Content-Type content=\"text/html; charset=windows-1252\">\n<style>\n<!--\n /* Font Definitions */\n"
            "@font-face\n\t{font-family:Wingdings;}\n-->\n</style>\n</head>\n<body lang=EN-GB>\n<div class=WordSection1>\n")  # fmt: skip
    return (page + "\n\n".join(body) + "\n</div></body></html>").encode("cp1252"), Truths("saved_from_word").add(
        items, told=False, points=True
    ).paper()


def list_in_list() -> Made:
    """Lists in lists: <ol> for questions, <ol type=A> for options, start= after a heading, the key as a table."""
    choices, others = english("cell", "ohm", "acid"), english("speed", "plants")
    body = ["<h1>Chapter test</h1><h2>Multiple choice (2 points each)</h2><ol>"]
    body += [
        f'<li><p>{_br(item.stem)}</p><ol type="A">{"".join(f"<li>{text}</li>" for text in item.options)}</ol></li>'
        for item in choices
    ]
    body.append("</ol><h2>Free response</h2><ol start=4>")
    for item in others:
        mark = "" if item.parts else f" <em>({item.points} points)</em>"
        parts = "".join(f"<li>{part.stem} <em>({part.points} points)</em></li>" for part in item.parts)
        body.append(
            f"<li>{_br(item.stem)}{mark}{f'<ol style=&quot;list-style-type: lower-alpha&quot;>{parts}</ol>' if parts else ''}</li>".replace(
                "&quot;", '"'
            )
        )
    keys = [(str(at), item.answer) for at, item in enumerate([*choices, others[0]], start=1)]
    keys += [(f"5{'abc'[at]}", part.answer) for at, part in enumerate(others[1].parts)]
    rows = "".join(f"<tr><td>{name}</td><td>{answer}</td></tr>" for name, answer in keys)
    body.append(
        f"</ol><h2>Answer key</h2><table><thead><tr><th>No.</th><th>Answer</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    truths = Truths("list_in_list").add(choices, told=True, points=2.0).add(others, told=True, points=True)
    return ("<!DOCTYPE html><html><body>" + "\n".join(body) + "</body></html>").encode(), truths.paper()


def platform() -> Made:
    """A learning platform's export: boxes for the number and the points, round buttons before the options."""
    items = english("treaty", "loop", "bats", "metals", "rust")
    body = [
        "<header><nav><a href='#'>Course home</a></nav></header><h1>Quiz: Week 5</h1><p>Due May 3 at 11:59pm. Time limit: 30 minutes.</p>"
    ]
    for at, item in enumerate(items, start=1):
        stem = f"<p>{item.stem}</p>"
        if "\n" in item.stem:
            first, code = item.stem.split("\n", 1)
            stem = f"<p>{first}</p><pre><code>{escape(code)}</code></pre>"
        answers = "".join(
            f"<div class='answer'><label><input type='radio' name='q{at}'> {LETTERS[index].lower()}. {text}</label></div>"
            for index, text in enumerate(item.options)
        )
        told = item.answer if not item.options else ", ".join(item.answer.lower())
        body.append(f"<div class='question'><div class='header'><span class='name'>Question {at}</span> <span class='points'>{item.points} pts</span></div>"
                    f"<div class='text'>{stem}</div><div class='answers'>{answers}</div><div class='key'>Correct answer: {told}</div></div>")  # fmt: skip
    return ("<html><head><title>Quiz</title></head><body>" + "".join(body) + "</body></html>").encode(), Truths(
        "platform"
    ).add(items, told=True, points=True).paper()


def page_zh() -> Made:
    """A Chinese question page: full-width spaces between options, answers in boxes, everything in spans."""
    items = chinese("english", "tang", "gases", "poem", "price")
    body = ["<div class='title'><strong>八年级上册</strong><strong>综合练习题</strong></div>"]
    for at, item in enumerate(items, start=1):
        body.append(
            f"<div><p><span>{at}</span><span>．</span><span>（{item.points}分）</span><span>{_br(item.stem)}</span></p>"
        )
        if item.options:
            body.append(
                "<p>"
                + "&emsp;&emsp;".join(
                    f"<span>{LETTERS[index]}．</span><span>{text}</span>" for index, text in enumerate(item.options)
                )
                + "</p>"
            )
        body.append(
            f"<p><span style='color:blue'>【答案】</span><span>{item.answer}</span></p><p>【解析】见课本第{at + 20}页．</p></div>"
        )
    page = "<html><head><meta http-equiv='Content-Type' content='text/html; charset=gb2312'></head><body>" + "".join(
        body
    )
    return (page + "</body></html>").encode("gb18030"), Truths("page_zh", "zh").add(
        items, told=True, points=True
    ).paper()


WEB: tuple[Callable[[], Made], ...] = (saved_from_word, list_in_list, platform, page_zh)

STYLE = """@page { size: A4; margin: 18mm; FURNITURE } body { font: 11pt/1.45 'Liberation Serif', 'Noto Serif CJK SC', serif }
.m { float: right; font-weight: bold } .w { border-bottom: 1px dotted #333; height: 20pt } h1 { font-size: 15pt; text-align: center }
.two { column-count: 2; column-gap: 12mm; column-rule: 1px solid #aaa } .grid { display: grid; grid-template-columns: 1fr 1fr }
.row { display: flex; justify-content: space-between } li { margin-bottom: 5pt } section { break-inside: avoid } """


FURNITURE = {
    "en": '@top-left { content: "Hilltop Secondary School" } @bottom-center { content: "Page " counter(page) " of " counter(pages) }',
    "zh": '@top-center { content: "实验中学" } @bottom-right { content: "第 " counter(page) " 页 共 " counter(pages) " 页" }',
}


def _page(body: list[str], language: str = "en") -> bytes:
    style = STYLE.replace("FURNITURE", FURNITURE[language])
    return f"<!DOCTYPE html><html lang='{language}'><head><meta charset='utf-8'><style>{style}</style></head><body>{''.join(body)}</body></html>".encode()


def flowing() -> Made:
    """Marks at the right edge, dotted lines to write on, options as the browser's own list, two pages."""
    items = english("cell", "ohm", "waves", "frost", "rust", "speed", "plants", "pool", "essay")
    body = ["<p>Name: ______________________ &emsp; Class: ________ &emsp; Date: ____________</p><h1>Year 8 Summer Examination</h1>",
            "<p><b>Instructions</b><br>1. Write in blue or black ink.<br>2. Answer <b>all</b> questions.</p><ol>"]  # fmt: skip
    for item in items:
        mark = "" if item.parts else f"<span class='m'>[{item.points} mark{'s' if item.points > 1 else ''}]</span>"
        options = "".join(f"<li>{text}</li>" for text in item.options)
        parts = "".join(
            f"<li>{part.stem} <span class='m'>[{part.points} mark{'s' if part.points > 1 else ''}]</span><div class='w'></div></li>"
            for part in item.parts
        )
        inner = (
            f"<ol type='A'>{options}</ol>"
            if options
            else f"<ol style='list-style: none; counter-reset: p'>{_lettered(parts)}</ol>"
            if parts
            else "<div class='w'></div><div class='w'></div>"
        )
        body.append(f"<li><section>{_br(item.stem)} {mark}{inner}</section></li>")
    return _page([*body, "</ol>"]), Truths("flowing").add(items, told=False, points=True).paper()


def _lettered(parts: str) -> str:
    pieces = parts.split("<li>")[1:]
    return "".join(f"<li>({'abcd'[at]}) {piece}" for at, piece in enumerate(pieces))


def columns() -> Made:
    """Two columns with a rule between them, options two by two, the key on the last lines."""
    items = english("treaty", "river", "verb", "acid", "metals", "moon", "bats", "author", "mass", "war")
    body = ["<h1>General Knowledge Quiz</h1><div class='two'>"]
    for at, item in enumerate(items, start=1):
        options = "".join(f"<span>({LETTERS[index].lower()}) {text}</span>" for index, text in enumerate(item.options))
        body.append(
            f"<section><p><b>{at}.</b> {_br(item.stem)} ({item.points} pt)</p><div class='grid'>{options}</div></section>"
        )
    body.append(
        "</div><h2>Answers</h2><p>"
        + "; ".join(f"{at}. {item.answer}" for at, item in enumerate(items, start=1))
        + "</p>"
    )
    return _page(body), Truths("columns").add(items, told=True, points=True).paper()


def printed_zh() -> Made:
    """A Chinese paper: four options spread over the line, marks after the stem, parts, a box for the marks."""
    choices, blanks, others = (
        chinese("capital", "tang", "state", "light", "root"),
        chinese("poem", "area", "year"),
        chinese("why", "solve", "train"),
    )
    body = ["<p class='row'><span>学校：__________</span><span>班级：________</span><span>姓名：________</span></p><h1>实验中学七年级第二次月考试卷</h1>",
            "<table border=1 style='border-collapse:collapse;margin:auto'><tr><td>题号</td><td>一</td><td>二</td><td>三</td><td>总分</td></tr><tr><td>得分</td><td></td><td></td><td></td><td></td></tr></table>",
            "<p><b>一、单项选择题（每小题3分，共15分）</b></p>"]  # fmt: skip
    for at, item in enumerate(choices, start=1):
        options = "".join(f"<span>{LETTERS[index]}. {text}</span>" for index, text in enumerate(item.options))
        body.append(f"<section><p>{at}. {_br(item.stem)}（&emsp;&emsp;）</p><div class='row'>{options}</div></section>")
    body.append("<p><b>二、填空题（每小题2分，共6分）</b></p>")
    body += [f"<p>{at}. {item.stem}</p>" for at, item in enumerate(blanks, start=6)]
    body.append("<p><b>三、解答题（共18分）</b></p>")
    for at, item in enumerate(others, start=9):
        parts = "".join(
            f"<p>（{index}）{part.stem}（{part.points}分）</p><br>" for index, part in enumerate(item.parts, start=1)
        )
        body.append(
            f"<section><p>{at}. {item.stem}{'' if item.parts else f'（{item.points}分）'}</p>{parts}<br><br></section>"
        )
    truths = (
        Truths("printed_zh", "zh")
        .add(choices, told=False, points=3.0, brackets=True)
        .add(blanks, told=False, points=2.0)
    )
    return _page(body, "zh"), truths.add(others, told=False, points=True).paper()


def worked_zh() -> Made:
    """One page with answers: options two by two in a table, 答案 and 解析 in a tinted box below each question."""
    items = chinese("english", "gases", "judge2", "climate", "price")
    body = ["<h1>周末作业（附答案）</h1>"]
    for at, item in enumerate(items, start=1):
        cells = [f"<td style='width:45%'>{LETTERS[index]}．{text}</td>" for index, text in enumerate(item.options)]
        rows = "".join(f"<tr>{''.join(cells[index : index + 2])}</tr>" for index in range(0, len(cells), 2))
        blank = "（&emsp;）" if item.type == "true_false" else ""
        body.append(f"<p>{at}．（{item.points}分）{item.stem}{blank}</p>{f'<table width=80%>{rows}</table>' if rows else ''}"
                    f"<div style='background:#eee;padding:3pt'>答案：{item.answer}<br>解析：这道题考查基础知识。</div>")  # fmt: skip
    truths = (
        Truths("worked_zh", "zh")
        .add(items[:2], told=True, points=True)
        .add(items[2:], told=True, points=True, brackets=True)
    )
    return _page(body, "zh"), truths.paper()


PRINTED: tuple[Callable[[], Made], ...] = (flowing, columns, printed_zh, worked_zh)
