"""The recogniser's process: grey pixels in, lines of text with their boxes out, until the parent closes the pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from app.documents.sandbox import frames
from app.documents.sandbox.confine import confine, die_with, take_pipes

REQUEST_BYTES = 512 * 1024
MIN_SCORE = 0.5
LONGEST_SIDE = 3_000  # a page at 200 dpi is not made smaller: digits that stand alone would be overlooked
# The engine remembers the switches of its last call, so each call states them all.
WHOLE = {"use_det": True, "use_cls": True, "use_rec": True}
LINE = {"use_det": False, "use_cls": False, "use_rec": True}
FAR, NEAR = 0.75, 0.25  # gaps, in heights of a box, which is half as high again as its letters


def main(parent: str, pixel_limit: str, threads: str) -> None:
    die_with(int(parent))
    inward, outward = take_pipes()
    recognise = _load(int(threads))
    confine(address_bytes=0, cpu_seconds=0)  # it lives long, and its runtime maps far more than it uses
    frames.write(outward, frames.pack_json({"ready": True}))
    while True:
        try:
            request = json.loads(frames.read(inward, frames.JSON, REQUEST_BYTES))
            pixels = frames.read(inward, frames.BYTES, int(pixel_limit))
        except EOFError:
            sys.exit(0)
        frames.write(
            outward,
            frames.pack_json({"lines": recognise(request["width"], request["height"], pixels, request["cells"])}),
        )


def _load(threads: int) -> Any:
    """English and Chinese, with the models that the package brings: nothing is downloaded."""
    import numpy  # noqa: PLC0415 - only this process has them
    from rapidocr import RapidOCR  # noqa: PLC0415

    engine: Any = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": MIN_SCORE,
            "Global.max_side_len": LONGEST_SIDE,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        }
    )

    def recognise(width: int, height: int, pixels: bytes, cells: list[list[int]] | None) -> list[dict[str, Any]]:
        grey = numpy.frombuffer(pixels, dtype=numpy.uint8).reshape(height, width)
        if cells is not None:
            return [_cell(engine, numpy, grey, cell) for cell in cells]
        found = engine(numpy.stack([grey] * 3, axis=-1), return_word_box=True, **WHOLE)
        if found.boxes is None:
            return []
        lines: list[dict[str, Any]] = []
        for text, score, box, words in zip(found.txts, found.scores, found.boxes, found.word_results, strict=True):
            corners = [[float(x), float(y)] for x, y in box]
            lines += apart({"text": text, "score": float(score), "box": corners}, words)
        return lines

    return recognise


def apart(line: dict[str, Any], words: Sequence[tuple[str, float, Any]]) -> list[dict[str, Any]]:
    """Texts that stand far from each other are several lines: cells of a table, options in a row."""
    box = line["box"]
    height = max(1.0, box[3][1] - box[0][1])
    groups: list[list[tuple[str, float, Any]]] = []
    for word in words:
        if groups and float(word[2][0][0]) - float(groups[-1][-1][2][1][0]) <= FAR * height:
            groups[-1].append(word)
        else:
            groups.append([word])
    if len(groups) == 1:  # its box is often wider than its words
        return [line | {"box": _corners(groups[0])}]
    return [_group(group, height) for group in groups] or [line]


def _group(words: list[tuple[str, float, Any]], height: float) -> dict[str, Any]:
    text, before = "", None
    for word, _, box in words:
        near = before is None or float(box[0][0]) - float(before[1][0]) < NEAR * height
        text, before = text + ("" if near else " ") + word, box
    return {"text": text, "score": float(min(score for _, score, _ in words)), "box": _corners(words)}


def _corners(words: list[tuple[str, float, Any]]) -> list[list[float]]:
    first, last = words[0][2], words[-1][2]
    return [[float(x), float(y)] for x, y in (first[0], last[1], last[2], first[3])]


def _cell(engine: Any, numpy: Any, grey: Any, cell: list[int]) -> dict[str, Any]:
    """One line of text that is known to be there: it need not be looked for."""
    left, top, right, bottom = cell
    box = [[left, top], [right, top], [right, bottom], [left, bottom]]
    crop = grey[max(0, top) : bottom, max(0, left) : right]
    if crop.size == 0:
        return {"text": "", "score": 0.0, "box": box}
    found = engine(numpy.stack([crop] * 3, axis=-1), return_word_box=False, **LINE)
    text, score = (found.txts[0], float(found.scores[0])) if found.txts else ("", 0.0)
    return {"text": text, "score": min(1.0, score), "box": box}
