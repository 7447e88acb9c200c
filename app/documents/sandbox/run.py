"""The parent's side of one parse: start a child, hand it open files, serve what it asks for, judge how it ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from app.documents.failures import CURES, DocumentFailure
from app.documents.limits import Limits
from app.documents.sandbox import frames
from app.documents.sandbox.process import ChildProcess

MODULE = "app.documents.sandbox.child"

Progress = Callable[[str, int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A picture of 8 bit grey values, row by row."""

    width: int
    height: int
    pixels: bytes


Cells = list[tuple[int, int, int, int]] | None
CELLS: TypeAdapter[Cells] = TypeAdapter(Annotated[Cells, Field(max_length=5_000)])
Recognise = Callable[[Bitmap, Cells], Awaitable[list[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on this machine, and the name that its owner gave it."""

    name: str
    path: Path


async def run(
    task: str,
    files: Sequence[SourceFile],
    options: dict[str, Any],
    *,
    limits: Limits,
    recognise: Recognise,
    on_progress: Progress,
) -> Any:
    """The task's result, as plain data that nobody has checked yet; or a DocumentFailure."""
    _check_sizes(files, limits)
    with ExitStack() as stack:
        descriptors = [_open(file, stack) for file in files]
        child = await ChildProcess.start(MODULE, (), resident_bytes=limits.resident_bytes, pass_fds=descriptors)
    request = {
        "task": task,
        "files": [[file.name, descriptor] for file, descriptor in zip(files, descriptors, strict=True)],
        "options": options,
        "limits": asdict(limits),
    }
    async with child:
        try:
            async with asyncio.timeout(limits.wall_seconds):
                return await _converse(child, request, limits, recognise, on_progress)
        except TimeoutError as error:
            raise DocumentFailure("too_slow", f"not read within {limits.wall_seconds:g} seconds") from error
        except frames.BadFrame as error:
            raise DocumentFailure("parser_died", f"the parser sent {error}") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await _cause_of_death(child) from error


async def _converse(
    child: ChildProcess, request: dict[str, Any], limits: Limits, recognise: Recognise, on_progress: Progress
) -> Any:
    await _send(child, request)
    bitmaps = 0
    while True:
        match await frames.receive_json(child.stdout, limits.result_bytes):
            case {"progress": {"step": str(step), "done": int(done), "of": int(of)}}:
                await on_progress(step, done, of)
            case {"ocr": {"width": int(width), "height": int(height), "cells": cells}}:
                bitmaps += 1
                if bitmaps > 2 * limits.ocr_pages or not 0 < width * height <= limits.bitmap_pixels or width < 0:
                    raise frames.BadFrame("more pictures, or larger ones, than allowed")
                pixels = await frames.receive(child.stdout, frames.BYTES, width * height)
                await _send(child, await _recognised(recognise, Bitmap(width, height, pixels), cells))
            case {"result": result}:
                return result
            case {"failure": {"code": str(code), "detail": str(detail), "file": str() | None as file}} if code in CURES:
                raise DocumentFailure(code, detail[:500], file=file)
            case _:
                raise frames.BadFrame("an unknown message")


async def _recognised(recognise: Recognise, bitmap: Bitmap, cells: Any) -> dict[str, Any]:
    if len(bitmap.pixels) != bitmap.width * bitmap.height:
        raise frames.BadFrame("a picture of another size than announced")
    try:
        return {"lines": await recognise(bitmap, CELLS.validate_python(cells))}
    except ValidationError as error:
        raise frames.BadFrame("cells that are none") from error
    except DocumentFailure as failure:
        return {"failure": {"code": failure.code, "detail": failure.detail}}


async def _send(child: ChildProcess, message: dict[str, Any]) -> None:
    child.stdin.write(frames.pack_json(message))
    await child.stdin.drain()


async def _cause_of_death(child: ChildProcess) -> DocumentFailure:
    with suppress(TimeoutError):
        await asyncio.wait_for(child.process.wait(), 5)
    code = child.process.returncode
    if child.outgrown or "MemoryError" in child.complaint:
        return DocumentFailure("too_much_memory", "the parser needed more memory than a document may")
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and not child.outgrown):
        return DocumentFailure("too_slow", "the parser needed more time than a document may")
    last = child.complaint.splitlines()[-1:] or ["nothing said"]
    return DocumentFailure("parser_died" if code and code < 0 else "parser_failed", f"exit {code}: {last[0][:200]}")


def _check_sizes(files: Sequence[SourceFile], limits: Limits) -> None:
    if len(files) > limits.files:
        raise DocumentFailure("too_many_files", f"{len(files)} files; {limits.files} are allowed")
    total = 0
    for file in files:
        size = file.path.stat().st_size
        total += size
        if size > limits.file_bytes:
            raise DocumentFailure("file_too_large", f"larger than {limits.file_bytes} bytes", file=file.name)
    if total > limits.total_bytes:
        raise DocumentFailure("file_too_large", f"more than {limits.total_bytes} bytes in all")


def _open(file: SourceFile, stack: ExitStack) -> int:
    """The child gets an open file, not a path: it needs no right to look into the storage."""
    descriptor = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    stack.callback(os.close, descriptor)
    return descriptor
