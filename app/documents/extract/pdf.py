"""PDF: the text layer with its places; pages without one are rendered and recognised."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from app.documents.extract.image import recognised_pieces
from app.documents.extract.layout import Piece, arrange
from app.documents.extract.lines import FIGURE, Extracted
from app.documents.extract.source import Source
from app.documents.failures import DocumentFailure
from app.documents.limits import Limits

POINTS_PER_INCH = 72
FEW_CHARACTERS = 12
BROKEN_SHARE = 0.2
SAME_BASELINE = 0.5
NEW_PIECE = 0.9  # a gap of so many character heights begins another piece
SCAN_SHARE = 0.3  # a picture of so much of a page is the page
FIGURE_SHARE = (0.002, 0.6)  # of the page: smaller is a bullet, larger is a background


def open_pdf(name: str, content: bytes, limits: Limits) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        code = "encrypted" if "password" in str(error).lower() or "security" in str(error).lower() else "damaged"
        raise DocumentFailure(code, f"the pdf cannot be opened: {error}", file=name) from error
    if len(document) == 0:
        raise DocumentFailure("damaged", "the pdf has no pages", file=name)
    if len(document) > limits.pages:
        raise DocumentFailure(
            "too_many_pages", f"the pdf has {len(document)} pages; {limits.pages} are allowed", file=name
        )
    return document


def extract(source: Source) -> Extracted:
    document = open_pdf(source.name, source.content, source.limits)
    found = Extracted(pages=len(document))
    for index, (page, width, height, pieces) in enumerate(pages_of(source.name, document)):
        if needs_ocr(pieces, page, source.ocr_mode):
            if found.ocr_pages >= source.limits.ocr_pages:
                found.notes.append(
                    ("too_many_scans", "this page is a scan beyond the limit; it was not read", index + 1)
                )
                continue
            found.ocr_pages += 1
            picture = picture_of(page, source.limits)
            scanned, _ = recognised_pieces(picture, source.desk)
            found.lines += arrange(
                scanned, width=picture.width, height=picture.height, file=source.name, page=index + 1
            )
        else:
            found.lines += arrange(pieces, width=width, height=height, file=source.name, page=index + 1)
        source.pages_done(index + 1, len(document))
    return found


def pages_of(name: str, document: pdfium.PdfDocument) -> Iterator[tuple[pdfium.PdfPage, float, float, list[Piece]]]:
    for index in range(len(document)):
        try:
            page = document[index]
            pieces = _text_pieces(page)
        except pdfium.PdfiumError as error:
            raise DocumentFailure("damaged", f"page {index + 1} cannot be read: {error}", file=name) from error
        width, height = page.get_size()
        yield page, width, height, pieces + _figure_pieces(page)
        page.close()


def needs_ocr(pieces: list[Piece], page: pdfium.PdfPage, ocr_mode: str) -> bool:
    if ocr_mode != "auto":
        return ocr_mode == "always"
    text = "".join(piece.text for piece in pieces if not piece.figure).replace(" ", "")
    broken = sum(character == "\ufffd" or "\ue000" <= character <= "\uf8ff" for character in text)
    if len(text) >= FEW_CHARACTERS:
        return broken > BROKEN_SHARE * len(text)
    drawn = list(page.get_objects(max_depth=3))
    if text:  # a page number over a scan, or the last line of the text
        return any(item.type == raw.FPDF_PAGEOBJ_IMAGE and _share(item, page) > SCAN_SHARE for item in drawn)
    return bool(drawn)


def _share(item: pdfium.PdfObject, page: pdfium.PdfPage) -> float:
    left, bottom, right, top = item.get_bounds()
    width, height = page.get_size()
    return float((right - left) * (top - bottom) / max(1.0, width * height))


def picture_of(page: pdfium.PdfPage, limits: Limits) -> Image.Image:
    """The page in grey, with as many pixels as the recogniser may get."""
    width, height = page.get_size()
    inches = max(1e-6, width * height) / POINTS_PER_INCH**2
    dpi = min(limits.ocr_dpi, (limits.bitmap_pixels * 0.98 / inches) ** 0.5)
    picture: Image.Image = page.render(scale=dpi / POINTS_PER_INCH, grayscale=True).to_pil()
    return picture.convert("L")


def _text_pieces(page: pdfium.PdfPage) -> list[Piece]:
    """Characters in the order of the page's content, joined while they stand on one line without a wide gap."""
    text_page = page.get_textpage()
    height = page.get_height()
    pieces: list[Piece] = []
    current: Piece | None = None
    space = False
    for text, box in _characters(text_page):
        if box is None or not text.strip():
            space = True
            if text in "\r\n":
                current = None
            continue
        x0, y0, x1, y1 = box[0], height - box[3], box[2], height - box[1]
        em = max(1.0, y1 - y0)
        if current is not None and _continues(current, x0, y0, y1, em):
            current.text += (" " if space else "") + text
            current.x1, current.y0, current.y1 = max(current.x1, x1), min(current.y0, y0), max(current.y1, y1)
        else:
            current = Piece(text, x0, y0, x1, y1, spaced=space)
            pieces.append(current)
        space = False
    text_page.close()
    return pieces


def _continues(current: Piece, x0: float, y0: float, y1: float, em: float) -> bool:
    shared = min(current.y1, y1) - max(current.y0, y0)
    return shared > SAME_BASELINE * min(em, current.height) and -0.5 * em < x0 - current.x1 < NEW_PIECE * em


def _characters(text_page: pdfium.PdfTextPage) -> Iterator[tuple[str, tuple[float, float, float, float] | None]]:
    loose = raw.FS_RECTF()
    high = 0
    for index in range(raw.FPDFText_CountChars(text_page)):
        code = raw.FPDFText_GetUnicode(text_page, index)
        if 0xD800 <= code < 0xDC00:  # noqa: PLR2004 - the first half of a surrogate pair
            high = code
            continue
        if 0xDC00 <= code < 0xE000 and high:  # noqa: PLR2004
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        if code in (0, 0xFFFE, 0xFFFF, 0xAD) or 0xD800 <= code < 0xE000:  # noqa: PLR2004
            continue
        if code == 2:  # noqa: PLR2004 - pdfium's own sign for a hyphen at a line's end
            code = 0x2D
        if raw.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(loose)):
            yield chr(code), (loose.left, loose.bottom, loose.right, loose.top)
        else:
            yield chr(code), None


def _figure_pieces(page: pdfium.PdfPage) -> list[Piece]:
    height = page.get_height()
    pieces = []
    for item in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=3):
        if FIGURE_SHARE[0] < _share(item, page) < FIGURE_SHARE[1]:
            left, bottom, right, top = item.get_bounds()
            pieces.append(Piece(FIGURE, left, height - top, right, height - bottom, figure=True))
    return pieces
