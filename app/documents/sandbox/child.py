"""The child's side of one parse: confine, read the request, do the task, answer.

Messages to the parent: {"progress": ...}, {"ocr": ...} with a bitmap, and at last {"result": ...} or {"failure": ...}.
"""

from __future__ import annotations

import json
import os
from typing import Any, BinaryIO

from app.documents.failures import DocumentFailure
from app.documents.limits import Limits
from app.documents.sandbox import frames
from app.documents.sandbox.confine import confine, die_with, take_pipes

REQUEST_BYTES = 1024 * 1024
OCR_REPLY_BYTES = 4 * 1024 * 1024


class Desk:
    """What a task may ask of its parent."""

    def __init__(self, inward: BinaryIO, outward: BinaryIO) -> None:
        self._inward = inward
        self._outward = outward

    def progress(self, step: str, done: int, of: int) -> None:
        frames.write(self._outward, frames.pack_json({"progress": {"step": step, "done": done, "of": of}}))

    def recognise(self, width: int, height: int, pixels: bytes) -> list[dict[str, Any]]:
        """The lines of text in a picture of 8 bit grey values."""
        frames.write(
            self._outward,
            frames.pack_json({"ocr": {"width": width, "height": height}}),
            frames.pack(frames.BYTES, pixels),
        )
        reply = json.loads(frames.read(self._inward, frames.JSON, OCR_REPLY_BYTES))
        if failure := reply.get("failure"):
            raise DocumentFailure(failure["code"], failure["detail"])
        lines: list[dict[str, Any]] = reply["lines"]
        return lines

    def answer(self, value: dict[str, Any]) -> None:
        frames.write(self._outward, frames.pack_json(value))


def main(parent: str) -> None:
    die_with(int(parent))
    inward, outward = take_pipes()
    request = json.loads(frames.read(inward, frames.JSON, REQUEST_BYTES))
    limits = Limits(**request["limits"])
    confine(address_bytes=limits.address_bytes, cpu_seconds=limits.cpu_seconds)
    desk = Desk(inward, outward)
    try:
        desk.answer({"result": _perform(request, limits, desk)})
    except DocumentFailure as failure:
        desk.answer({"failure": {"code": failure.code, "detail": failure.detail, "file": failure.file}})
    except MemoryError:
        desk.answer({"failure": {"code": "too_much_memory", "detail": "the parser ran out of memory", "file": None}})
    os._exit(0)  # whatever a parser has left behind needs no tidying


def _perform(request: dict[str, Any], limits: Limits, desk: Desk) -> Any:
    from app.documents.sandbox.tasks import TASKS, Input  # noqa: PLC0415 - parsers load only under their limits

    files = [Input(name, _content(name, descriptor, limits)) for name, descriptor in request["files"]]
    return TASKS[request["task"]](files, request["options"], limits, desk)


def _content(name: str, descriptor: int, limits: Limits) -> bytes:
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        raise DocumentFailure("file_too_large", f"larger than {limits.file_bytes} bytes", file=name)
    return content
