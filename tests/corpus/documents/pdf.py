"""Pages drawn twice: as a PDF with a text layer, and as a picture of the same page."""

from __future__ import annotations

import ctypes
import io
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image, ImageDraw, ImageFont
from pypdfium2 import raw

FONTS = Path(__file__).parent / "fonts"
A4 = (595.0, 842.0)
MARGIN = 56.0
DPI = 200
LEADING = 1.55
WIDE = 0x2E80  # where CJK begins


@dataclass(frozen=True)
class Text:
    x: float
    y: float  # of the baseline, from the top
    text: str
    size: float


@dataclass
class Page:
    width: float = A4[0]
    height: float = A4[1]
    texts: list[Text] = field(default_factory=list)
    lines: list[tuple[float, float, float, float]] = field(default_factory=list)

    def write(self, x: float, y: float, text: str, size: float) -> None:
        self.texts.append(Text(x, y, text, size))

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.lines.append((x0, y0, x1, y1))


@cache
def font(name: str, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / f"{name}.ttf"), pixels)


def runs(text: str) -> list[tuple[str, str]]:
    """The text cut by the font that has its characters."""
    found: list[tuple[str, str]] = []
    for character in text:
        name = "cjk" if ord(character) >= WIDE else "latin"
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + character)
        else:
            found.append((name, character))
    return found


def width_of(text: str, size: float) -> float:
    return sum(font(name, 100).getlength(part) for name, part in runs(text)) * size / 100


def wrapped(text: str, size: float, width: float) -> list[str]:
    lines, line = [], ""
    for word in _words(text):
        if line and width_of(line + word.rstrip(), size) > width:
            lines.append(line.rstrip())
            line = ""
        line += word.lstrip() if not line and lines else word
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    words, word = [], ""
    for character in text:
        word += character
        if character == " " or ord(character) >= WIDE:
            words.append(word)
            word = ""
    return [*words, word] if word else words


def draw_pages(lines: list[tuple[str, float]], *, columns: int, head: str | None, language: str) -> list[Page]:
    """Paragraphs set in one or two columns, with a running head and page numbers when there is a head."""
    gap = 24.0
    column_width = (A4[0] - 2 * MARGIN - gap * (columns - 1)) / columns
    pages: list[Page] = []
    column, y = columns, 0.0
    for text, size in lines:
        for line in wrapped(text, size, column_width):
            if column >= columns or y + size > A4[1] - MARGIN - 20:
                column += 1
                if column >= columns:
                    pages.append(_new_page(head, len(pages) + 1, language))
                    column = 0
                y = MARGIN + 20
            y += size * LEADING
            pages[-1].write(MARGIN + column * (column_width + gap), y, line, size)
        y += 3
    return pages


def _new_page(head: str | None, number: int, language: str) -> Page:
    page = Page()
    if head is not None:
        page.write(MARGIN, 36, head, 8)
        foot = f"Page {number}" if language == "en" else f"第{number}页"
        page.write(A4[0] / 2 - 20, A4[1] - 28, foot, 8)
    return page


def picture_of(page: Page, dpi: int = DPI) -> Image.Image:
    scale = dpi / 72
    picture = Image.new("L", (int(page.width * scale), int(page.height * scale)), 255)
    draw = ImageDraw.Draw(picture)
    for x0, y0, x1, y1 in page.lines:
        draw.line((x0 * scale, y0 * scale, x1 * scale, y1 * scale), fill=60, width=2)
    for text in page.texts:
        x = text.x * scale
        for name, part in runs(text.text):
            face = font(name, round(text.size * scale))
            draw.text((x, text.y * scale), part, font=face, fill=20, anchor="ls")
            x += face.getlength(part)
    return picture


def pdf_of(pages: list[Page]) -> bytes:
    document = pdfium.PdfDocument.new()
    fonts = {name: _load(document, name) for name in ("latin", "cjk")}
    for page in pages:
        target = document.new_page(page.width, page.height)
        for text in page.texts:
            x = text.x
            for name, part in runs(text.text):
                _place(document, target, fonts[name], Text(x, text.y, part, text.size))
                x += width_of(part, text.size)
        for x0, y0, x1, y1 in page.lines:
            path = raw.FPDFPageObj_CreateNewPath(x0, page.height - y0)
            raw.FPDFPath_LineTo(path, x1, page.height - y1)
            raw.FPDFPath_SetDrawMode(path, 0, True)
            raw.FPDFPage_InsertObject(target, path)
        target.gen_content()
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _load(document: pdfium.PdfDocument, name: str) -> object:
    content = (FONTS / f"{name}.ttf").read_bytes()
    buffer = (ctypes.c_uint8 * len(content)).from_buffer_copy(content)
    return raw.FPDFText_LoadFont(document, buffer, len(content), raw.FPDF_FONT_TRUETYPE, True)


def _place(document: pdfium.PdfDocument, page: pdfium.PdfPage, face: object, run: Text) -> None:
    item = raw.FPDFPageObj_CreateTextObj(document, face, run.size)
    encoded = (run.text + "\0").encode("utf-16-le")
    buffer = ctypes.create_string_buffer(encoded, len(encoded))
    raw.FPDFText_SetText(item, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)))
    raw.FPDFPageObj_Transform(item, 1, 0, 0, 1, run.x, page.get_height() - run.y)
    raw.FPDFPage_InsertObject(page, item)
