"""The child's side of one parse: confine, read the request, do the task, answer.

Messages to the parent: {"progress": ...}, {"ocr": ...} with a bitmap, and at last {"result": ...} or {"failure": ...}.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, BinaryIO

from app.documents.extract.source import Box
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

    def recognise(
        self, width: int, height: int, pixels: bytes, cells: Sequence[Box] | None = None
    ) -> list[dict[str, Any]]:
        """The lines of text in a picture of 8 bit grey values; with cells, what stands in each of them."""
        frames.write(
            self._outward,
            frames.pack_json({"ocr": {"width": width, "height": height, "cells": cells}}),
            frames.pack(frames.BYTES, pixels),
        )
        reply = json.loads(frames.read(self._inward, frames.JSON, OCR_REPLY_BYTES))
        if failure := reply.get("failure"):
            raise DocumentFailure(failure["code"], failure["detail"])
        lines: list[dict[str, Any]] = reply["lines"]
        return lines

    def answer(self, value: dict[str, Any], limit: int) -> None:
        frame = frames.pack_json(value)
        if len(frame) > limit:
            failure = {"code": "result_too_large", "detail": "more was found than one document may hold", "file": None}
            frame = frames.pack_json({"failure": failure})
        frames.write(self._outward, frame)


def main(parent: str) -> None:
    die_with(int(parent))
    inward, outward = take_pipes()
    request = json.loads(frames.read(inward, frames.JSON, REQUEST_BYTES))
    limits = Limits(**request["limits"])
    confine(address_bytes=limits.address_bytes, cpu_seconds=limits.cpu_seconds)
    desk = Desk(inward, outward)
    try:
        desk.answer({"result": _perform(request, limits, desk)}, limits.result_bytes)
    except DocumentFailure as failure:
        told = {"code": failure.code, "detail": failure.detail, "file": failure.file}
        desk.answer({"failure": told}, REQUEST_BYTES)
    except MemoryError:
        told = {"code": "too_much_memory", "detail": "the parser ran out of memory", "file": None}
        desk.answer({"failure": told}, REQUEST_BYTES)
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
