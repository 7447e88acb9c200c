"""The recogniser's process: grey pixels in, lines of text with their boxes out, until the parent closes the pipe."""

from __future__ import annotations

import json
import sys
from typing import Any

from app.documents.sandbox import frames
from app.documents.sandbox.confine import confine, die_with, take_pipes

REQUEST_BYTES = 512 * 1024
MIN_SCORE = 0.5


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
        frames.write(outward, frames.pack_json({"lines": recognise(request["width"], request["height"], pixels, request["cells"])}))


def _load(threads: int) -> Any:
    """English and Chinese, with the models that the package brings: nothing is downloaded."""
    import numpy  # noqa: PLC0415 - only this process has them
    from rapidocr import RapidOCR  # noqa: PLC0415

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": MIN_SCORE,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        }
    )

    def recognise(width: int, height: int, pixels: bytes, cells: list[list[int]] | None) -> list[dict[str, Any]]:
        grey = numpy.frombuffer(pixels, dtype=numpy.uint8).reshape(height, width)
        if cells is not None:
            return [_cell(engine, numpy, grey, *cell) for cell in cells]
        found = engine(numpy.stack([grey] * 3, axis=-1))
        if found.boxes is None:
            return []
        return [
            {"text": text, "score": float(score), "box": [[float(x), float(y)] for x, y in box]}
            for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True)
        ]

    return recognise


def _cell(engine: Any, numpy: Any, grey: Any, left: int, top: int, right: int, bottom: int) -> dict[str, Any]:
    """One line of text that is known to be there: it need not be looked for."""
    box = [[left, top], [right, top], [right, bottom], [left, bottom]]
    crop = grey[max(0, top) : bottom, max(0, left) : right]
    if crop.size == 0:
        return {"text": "", "score": 0.0, "box": box}
    found = engine(numpy.stack([crop] * 3, axis=-1), use_det=False, use_cls=False, use_rec=True)
    text, score = (found.txts[0], float(found.scores[0])) if found.txts else ("", 0.0)
    return {"text": text, "score": min(1.0, score), "box": box}
