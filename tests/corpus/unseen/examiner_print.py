"""An examiner's papers as reportlab sets them. It is no dependency of ours, so what is kept lies in `files`:
`python -m tests.corpus.unseen.stress --keep` sets it again where reportlab is installed.
"""

from __future__ import annotations

import io
import subprocess
from html import escape
from importlib import import_module
from typing import Any

from tests.corpus.unseen.examiner_exam import Block, Exam
from tests.corpus.unseen.examiner_writers import option_lines

MARGIN, GUTTER = 54.0, 24.0


def _reportlab(name: str) -> Any:
    return import_module(f"reportlab.{name}")


def _font_file(family: str) -> str:
    asked = ("fc-match", "--format", "%{file}", family)
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def printed(exam: Exam, columns: int = 1) -> bytes:
    metrics, platypus = _reportlab("pdfbase.pdfmetrics"), _reportlab("platypus")
    metrics.registerFont(_reportlab("pdfbase.cidfonts").UnicodeCIDFont("STSong-Light"))
    metrics.registerFont(_reportlab("pdfbase.ttfonts").TTFont("Latin", _font_file("Liberation Serif")))
    manner = exam.manner
    font = "STSong-Light" if manner.language == "zh" else "Latin"
    width, height = size = _reportlab("lib.pagesizes").A4
    each = (width - 2 * MARGIN - GUTTER * (columns - 1)) / columns
    frames = [
        platypus.Frame(MARGIN + at * (each + GUTTER), MARGIN, each, height - 2 * MARGIN, 0, 0, 0, 0)
        for at in range(columns)
    ]

    def furnish(canvas: Any, document: Any) -> None:
        if manner.furniture:
            canvas.setFont(font, 8)
            canvas.drawString(MARGIN, height - 34, exam.blocks[0].text)
            page = f"Page {document.page}" if manner.language == "en" else f"第 {document.page} 页"
            canvas.drawCentredString(width / 2, 28, page)

    stream = io.BytesIO()
    document = platypus.BaseDocTemplate(stream, pagesize=size, title=exam.blocks[0].text, invariant=1)
    document.addPageTemplates([platypus.PageTemplate(frames=frames, onPage=furnish)])
    document.build([one for block in exam.blocks for one in _set(exam, block, font, each)])
    return stream.getvalue()


def _set(exam: Exam, block: Block, font: str, width: float) -> list[Any]:
    platypus = _reportlab("platypus")
    manner = exam.manner
    size = {"title": 16, "heading": 13}.get(block.kind, 10.5)
    lead = 12 if block.kind in {"options", "part"} and manner.variant % 2 else 0
    wrap = "CJK" if manner.language == "zh" else None
    style = _reportlab("lib.styles").ParagraphStyle(block.kind, fontName=font, fontSize=size, leading=size * 1.4, leftIndent=lead, wordWrap=wrap, spaceAfter=3, spaceBefore=6 if block.kind in {"stem", "heading"} else 0,
                           alignment=1 if block.kind == "title" else 0)  # fmt: skip

    def paragraph(text: str) -> Any:
        shown = escape(text).replace("\t", "&nbsp;" * 6).replace("  ", "&nbsp;&nbsp;").replace("\n", "<br/>")
        return platypus.Paragraph(shown, style)

    match block.kind:
        case "options":
            return [paragraph(line) for line in option_lines(exam, block)]
        case "table":
            return [
                platypus.Table(
                    block.rows,
                    style=[
                        ("GRID", (0, 0), (-1, -1), 0.5, _reportlab("lib.colors").black),
                        ("FONT", (0, 0), (-1, -1), font, 9),
                    ],
                )
            ]
        case "figure":
            return [platypus.Spacer(1, 40)]
    if block.right:
        cells = [[paragraph(block.mark + block.text), paragraph(block.right)]]
        return [
            platypus.Table(
                cells,
                colWidths=[width - 110, 110],
                style=[("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")],
            )
        ]
    return [paragraph(block.mark + block.text)]
