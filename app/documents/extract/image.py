"""Pictures: decoded within bounds, turned upright, made grey, and sent to the recogniser."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from app.documents.extract.layout import Piece, arrange, straighten
from app.documents.extract.lines import Extracted
from app.documents.extract.source import Desk, Source
from app.documents.failures import DocumentFailure
from app.documents.limits import Limits

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
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
    pieces = [
        Piece(
            line["text"],
            min(x for x, _ in box),
            min(y for _, y in box),
            max(x for x, _ in box),
            max(y for _, y in box),
            score=line["score"],
        )
        for line, box in zip(lines, boxes, strict=True)
    ]
    return pieces, lean


def extract(source: Source) -> Extracted:
    if source.ocr_mode == "never":
        raise DocumentFailure("no_text", "pictures hold no text unless they are recognised", file=source.name)
    picture = open_image(source.name, source.content, source.limits)
    pieces, _ = recognised_pieces(picture, source.desk)
    lines = arrange(pieces, width=picture.width, height=picture.height, file=source.name, page=1)
    return Extracted(lines, ocr_pages=1)
