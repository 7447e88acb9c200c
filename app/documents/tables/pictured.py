"""Tables in pictures. The recogniser overlooks lone digits, so cells with ink and no text are read once more."""

from __future__ import annotations

import math

from PIL import Image

from app.documents.extract.image import open_image, recognised_pieces
from app.documents.extract.source import Box, Desk, Source
from app.documents.tables.grid import grid_of
from app.documents.tables.table import Table, make_table

DARK = 140
LEAST_INK = 12  # pixels; less is dust
INSET = 3
MOST_CELLS = 4_000


def tables(source: Source) -> list[Table]:
    picture = open_image(source.name, source.content, source.limits)
    rows, sure = read_table(picture, source.desk)
    return [make_table(source.name, "page 1", rows, source.limits, sure=sure)]


def read_table(picture: Image.Image, desk: Desk) -> tuple[list[list[str]], float]:
    pieces, lean = recognised_pieces(picture, desk)
    grid = grid_of(pieces)
    straight = _straight(picture, lean)
    boxes = [box for box in grid.empty_boxes() if _has_ink(straight, box[2])][:MOST_CELLS]
    if boxes:
        found = desk.recognise(straight.width, straight.height, straight.tobytes(), [box for _, _, box in boxes])
        for (row, column, _), line in zip(boxes, found, strict=True):
            grid.fill(row, column, line["text"], line["score"])
    return grid.rows, grid.sureness()


def _straight(picture: Image.Image, lean: float) -> Image.Image:
    if not lean:
        return picture
    cos, sin = math.cos(lean), math.sin(lean)
    turn = (cos, -sin, 0.0, sin, cos, 0.0)
    return picture.transform(picture.size, Image.Transform.AFFINE, turn, Image.Resampling.BICUBIC, fillcolor=255)


def _has_ink(picture: Image.Image, box: Box) -> bool:
    """Ink in the middle of the cell: its rules run along the edges."""
    left, top, right, bottom = box
    inner = picture.crop((left + INSET, top + INSET, right - INSET, bottom - INSET))
    return sum(inner.histogram()[:DARK]) >= LEAST_INK
