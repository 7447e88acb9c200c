"""Pictures: decoded within bounds, turned upright, made grey, and sent to the recogniser."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from app.documents.extract.layout import Corners, Piece, arrange, straighten
from app.documents.extract.lines import Extracted
from app.documents.extract.source import Desk, Source
from app.documents.failures import DocumentFailure
from app.documents.limits import Limits

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
ECHO, OVERLAP = 2, 0.4
MARGIN = 0.15
SMALL_SIDE = 900  # a picture of a page smaller than this is enlarged: thin strokes are lost otherwise


def open_image(name: str, content: bytes, limits: Limits) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None  # ours is stricter, and says so
    try:
        picture = Image.open(BytesIO(content), formats=FORMATS)
        if picture.width * picture.height > limits.image_pixels:
            size = f"{picture.width} x {picture.height}"
            raise DocumentFailure("image_too_large", f"the picture has {size} pixels", file=name)
        picture.draft("L", picture.size)
        picture.load()
        return _grey(ImageOps.exif_transpose(picture), limits)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise DocumentFailure("damaged", f"the picture cannot be read: {error}", file=name) from error


def _grey(picture: Image.Image, limits: Limits) -> Image.Image:
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture.convert("RGBA"))
    grey = picture.convert("L")
    shrink = (limits.bitmap_pixels * 0.98 / (grey.width * grey.height)) ** 0.5
    enlarge = SMALL_SIDE / max(1, min(grey.size))
    factor = min(shrink, max(1.0, min(2.0, enlarge)))
    if abs(factor - 1.0) < 0.01:  # noqa: PLR2004 - not worth a resampling
        return grey
    size = (max(1, int(grey.width * factor)), max(1, int(grey.height * factor)))
    return grey.resize(size, Image.Resampling.LANCZOS)


def recognised_pieces(picture: Image.Image, desk: Desk) -> tuple[list[Piece], float]:
    """The texts of a page, as they would stand if it lay straight, and by how much it leans."""
    lines = desk.recognise(picture.width, picture.height, picture.tobytes())
    boxes, lean = straighten([line["box"] for line in lines])
    return without_echoes([_piece(line, box) for line, box in zip(lines, boxes, strict=True)]), lean


def _piece(line: dict[str, Any], box: Corners) -> Piece:
    """A text layer's boxes are as high as the letters; the recogniser's have a margin above and below."""
    top, bottom = min(y for _, y in box), max(y for _, y in box)
    margin = MARGIN * (bottom - top)
    left, right = min(x for x, _ in box), max(x for x, _ in box)
    return Piece(line["text"], left, top + margin, right, bottom - margin, score=line["score"])


def without_echoes(pieces: list[Piece]) -> list[Piece]:
    """Where two of the recogniser's boxes overlap, the characters between them are read twice."""
    return [piece for piece in pieces if not any(_echoes(piece, other) for other in pieces if other is not piece)]


def _echoes(piece: Piece, other: Piece) -> bool:
    text = piece.text.strip()
    across = min(piece.x1, other.x1) - max(piece.x0, other.x0)
    down = min(piece.y1, other.y1) - max(piece.y0, other.y0)
    return (
        len(text) <= ECHO < len(other.text.strip())
        and (other.text.strip().endswith(text) or other.text.strip().startswith(text))
        and across > OVERLAP * (piece.x1 - piece.x0)
        and down > OVERLAP * piece.height
    )


def extract(source: Source) -> Extracted:
    if source.ocr_mode == "never":
        raise DocumentFailure("no_text", "pictures hold no text unless they are recognised", file=source.name)
    picture = open_image(source.name, source.content, source.limits)
    pieces, _ = recognised_pieces(picture, source.desk)
    lines = arrange(pieces, width=picture.width, height=picture.height, file=source.name, page=1)
    return Extracted(lines, ocr_pages=1)
