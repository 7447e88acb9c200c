"""An examiner's papers as text, Markdown, web pages and TeX."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from tests.corpus.unseen.examiner import mathematical
from tests.corpus.unseen.examiner_exam import Block, Exam

WIDTH = 78


def option_lines(exam: Exam, block: Block) -> list[str]:
    """The options in the layout of the paper; what would not fit into a line is set in two, or one below the other."""
    manner = exam.manner
    texts = [label + text for label, text in block.choices]
    wide = sum(2 if ord(one) > 0x2E80 else 1 for text in texts for one in text) + 4 * len(texts)
    layout = manner.layout
    if layout in {"row", "tabs", "inline"} and wide > WIDTH:
        layout = "grid"
    if layout == "grid" and (wide > 2 * WIDTH - 8 or len(texts) % 2):
        layout = "stacked"
    if layout == "row":
        return [("    " if manner.variant % 2 else "      ").join(texts)]
    if layout == "tabs":
        return ["\t".join(texts)]
    if layout == "inline":
        bracketed = block.choices[0][0].strip().endswith((")", "）"))
        return [(" " if bracketed or manner.language == "zh" else "  ").join(texts)]
    if layout == "grid":
        return ["        ".join(texts[at : at + 2]) for at in range(0, len(texts), 2)]
    return texts


def plain_lines(exam: Exam) -> Iterator[tuple[Block, str]]:
    """Every block in its lines of plain text."""
    for block in exam.blocks:
        match block.kind:
            case "options":
                yield from ((block, line) for line in option_lines(exam, block))
            case "table":
                yield from ((block, "\t".join(row)) for row in block.rows)
            case "figure":
                pass
            case _:
                text = block.mark + block.text
                yield block, text if not block.right else f"{text}{' ' * max(4, WIDTH - len(text))}{block.right}"


def text(exam: Exam) -> bytes:
    manner = exam.manner
    lines: list[str] = []
    page = 1
    for block, line in plain_lines(exam):
        if manner.gaps and block.kind in {"heading", "stem", "note", "passage"}:
            lines.append("")
        indent = "   " if block.kind in {"options", "part", "answer"} and manner.variant in {0, 3} else ""
        whole = [indent + one for one in line.split("\n")]
        if manner.wrapped and manner.language == "en" and block.kind in {"stem", "passage"} and not block.right:
            whole = [
                one
                for part in whole
                for one in textwrap.wrap(part, 60, subsequent_indent="   " if block.kind == "stem" else "")
            ]
        lines += whole
        if manner.furniture and len(lines) > 40 * page:
            lines += ["", f"Page {page}" if manner.language == "en" else f"第{page}页 共3页", ""]
            page += 1
    newline = "\r\n" if manner.variant == 2 else "\n"
    encoding = ("gb18030", "utf-8-sig", "utf-8")[manner.variant % 3] if manner.language == "zh" else "utf-8"
    return newline.join([*lines, ""]).encode(encoding)


def markdown(exam: Exam) -> bytes:  # noqa: C901 - a list of kinds
    manner = exam.manner
    lines: list[str] = []
    for block in exam.blocks:
        match block.kind:
            case "title":
                lines += [f"# {block.text}", ""]
            case "heading":
                lines += ["", f"{'##' if manner.variant % 2 else '###'} {block.text}", ""]
            case "stem":
                lines += [*_markdown_stem(exam, block), ""]
            case "options":
                bullet = ("- ", "", "   ", "- ", "* ", "")[manner.variant]
                tail = "  " if manner.variant in {1, 5} else ""
                lines += [*(f"{bullet}{line}{tail}" for line in option_lines(exam, block)), ""]
            case "part":
                lines += [f"{block.mark}{block.text}{' ' + block.right if block.right else ''}", ""]
            case "answer":
                label, colon, rest = block.text.partition(":")
                lines += [f"**{label}:**{rest}" if colon and manner.variant % 2 else block.text, ""]
            case "figure":
                lines += [f"![{block.text}](figure.png)", ""]
            case "table":
                top, *below = ("| " + " | ".join(row) + " |" for row in block.rows)
                lines += [top, "|" + "---|" * len(block.rows[0]), *below, ""]
            case "note" | "cover":
                lines += [f"*{block.text}*" if manner.variant == 3 and block.kind == "note" else block.text, ""]
            case _:
                lines += [block.mark + block.text, ""]
    return "\n".join(lines).encode()


def _markdown_stem(exam: Exam, block: Block) -> list[str]:
    right = f" **{block.right}**" if block.right else ""
    mark, _, _ = block.mark.partition("\n")
    form = exam.manner.variant
    if form in {0, 4}:
        shown = f"**{mark.strip()}** {block.text}"
    elif form == 2 and len(mark.strip()) > 2:
        return [f"#### {mark.strip()}", "", block.text + right]
    elif form == 5 and "\n" not in block.mark + block.text and "_" not in block.text and "*" not in block.text:
        shown = f"**{mark}{block.text}**" if block.text else f"**{mark.strip()}**"
    else:
        shown = f"{mark}{block.text}" if "\n" not in block.mark else f"{mark}  \n{block.text}"
    return (shown + right).split("\n")


def automatic(exam: Exam) -> bool:
    """Whether the format counts the questions by itself; it can where nothing but a number and a dot are before them."""
    return exam.manner.automatic and exam.manner.number in {"{}. ", "{}.", "{}.\t"}


@dataclass
class Listed:
    """A list that is opened before its first question and closed where something else begins."""

    opening: str
    closing: str
    item: str
    end: str
    open: bool = False

    def before(self, block: Block) -> list[str]:
        if block.kind == "stem":
            said = (
                [self.end, self.item]
                if self.open
                else [self.opening.replace("{}", block.mark.strip(". \t")), self.item]
            )
            self.open = True
            return said
        return self.close() if block.kind in {"heading", "note", "passage"} else []

    def close(self) -> list[str]:
        said = [self.end, self.closing] if self.open else []
        self.open = False
        return said


def html(exam: Exam) -> bytes:
    manner, body, listed = exam.manner, [], Listed("<ol start='{}'>", "</ol>", "<li>", "</li>")
    blocks = exam.blocks
    for at, block in enumerate(blocks):
        if automatic(exam):
            body += listed.before(block)
        shown = escape(block.text)
        right = f"<span style='float:right'>{escape(block.right)}</span>" if block.right else ""
        match block.kind:
            case "title":
                body.append(f"<h1>{shown}</h1>")
            case "heading":
                body.append(f"<h2>{shown}</h2>")
            case "stem":
                mark = "" if automatic(exam) else escape(block.mark).replace("\n", "<br>")
                inner = f"<b>{mark}</b>{shown}" if manner.variant % 3 == 1 else mark + shown
                body.append(
                    f"<p class='q'>{inner}{right}</p>"
                    if manner.variant != 2
                    else f"<div class='question'><div class='stem'>{inner}{right}</div></div>"
                )
            case "options":
                body.append(_html_options(exam, block))
            case "table":
                rows = "".join(
                    "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in block.rows
                )
                body.append(f"<table border='1'>{rows}</table>")
            case "figure":
                body.append(f"<p><img src='figure.png' alt='{shown}'></p>")
            case "rule":
                body.append("<hr>" if blocks[at - 1].kind != "rule" else "")
            case _:
                body.append(f"<p>{escape(block.mark)}{shown}{right}</p>".replace("\n", "<br>"))
    body += listed.close()
    style = "<style>p { margin: 4px } .q { font-weight: 500 }</style>"
    title = escape(exam.blocks[0].text)
    page = f"<!DOCTYPE html>\n<html lang='{manner.language}'>\n<head><meta charset='utf-8'><title>{title}</title>{style}</head>\n<body>\n"
    return (page + "\n".join(body) + "\n</body>\n</html>\n").encode()


def _html_options(exam: Exam, block: Block) -> str:
    lines = option_lines(exam, block)
    if len(lines) != len(block.choices):
        return "".join(f"<p>{escape(line).replace('  ', '&nbsp; ').replace(chr(9), '&emsp;')}</p>" for line in lines)
    match exam.manner.variant:
        case 0:
            return "<ol type='A'>" + "".join(f"<li>{escape(text)}</li>" for _, text in block.choices) + "</ol>"
        case 1 | 4:
            return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
        case 2:
            return "<p>" + "<br>\n".join(map(escape, lines)) + "</p>"
        case 3:
            return "<div class='options'>" + "".join(f"<div>{escape(line)}</div>" for line in lines) + "</div>"
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


SPECIAL = str.maketrans({"%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "\x00": "$"})


def told(words: str) -> str:
    """Words as TeX has them: powers in mathematics, blanks as rules."""
    shown = mathematical(words, "\x00").translate(SPECIAL)
    return re.sub("_{2,}", r"\\underline{\\hspace{2cm}}", shown).replace("\t", r"\quad ").replace("    ", r" \quad ")


def tex(exam: Exam) -> bytes:
    manner = exam.manner
    chinese = manner.language == "zh"
    lines = [
        r"\documentclass[12pt]{ctexart}" if chinese else r"\documentclass[11pt,a4paper]{article}",
        r"\usepackage{amsmath}",
        r"\usepackage{graphicx}",
        r"\begin{document}",
    ]
    listed = Listed(r"\begin{enumerate}[start={}]", r"\end{enumerate}", r"\item", "")
    for block in exam.blocks:
        if automatic(exam):
            lines += listed.before(block)
        shown, right = told(block.text), rf" \hfill {told(block.right)}" if block.right else ""
        mark = told(block.mark).replace("\n", r"\\" + "\n")
        match block.kind:
            case "title":
                lines += [r"\begin{center}", rf"{{\Large \textbf{{{shown}}}}}", r"\end{center}"]
            case "heading":
                lines += ["", rf"\section*{{{shown}}}", ""]
            case "stem":
                bold = rf"\textbf{{{mark.strip()}}} " if manner.variant % 3 == 1 and "\n" not in mark else mark
                lines += (
                    [("{}" if shown.startswith("[") else "") + shown + right, ""]
                    if automatic(exam)
                    else [rf"\noindent {bold}{shown}{right}", ""]
                )
            case "options":
                lines += [*_tex_options(exam, block), ""]
            case "table":
                lines += [
                    r"\begin{tabular}{|" + "c|" * len(block.rows[0]) + "}",
                    r"\hline",
                    *(" & ".join(map(told, row)) + r" \\ \hline" for row in block.rows),
                    r"\end{tabular}",
                    "",
                ]
            case "figure":
                lines += [r"\begin{center}", r"\includegraphics[width=4cm]{figure.png}", r"\end{center}"]
            case "rule":
                lines += [r"\vspace{1cm}", ""]
            case _:
                lines += [(mark + shown + right).replace("\n", r"\\" + "\n"), ""]
    return "\n".join([*lines, *listed.close(), r"\end{document}", ""]).encode()


def _tex_options(exam: Exam, block: Block) -> list[str]:
    lines = option_lines(exam, block)
    if len(lines) != len(block.choices):
        return [told(line) + r"\\" for line in lines]
    if exam.manner.variant in {0, 3}:
        return [
            r"\begin{enumerate}[label=\Alph*.]",
            *(rf"\item {told(text)}" for _, text in block.choices),
            r"\end{enumerate}",
        ]
    if exam.manner.variant == 1:
        return [
            r"\begin{itemize}",
            *(rf"\item[{label.strip()}] {told(text)}" for label, text in block.choices),
            r"\end{itemize}",
        ]
    return [told(line) + r" \\" for line in lines]


WRITERS: dict[str, Callable[[Exam], bytes]] = {"txt": text, "md": markdown, "html": html, "tex": tex}
