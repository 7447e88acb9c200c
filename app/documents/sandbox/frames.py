"""Messages between a parent and its child: a kind and a length, then that many bytes. Both ends bound the length.

J is a JSON object; B is raw bytes that belong to the object before (a bitmap).
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, BinaryIO

HEADER = struct.Struct(">cI")
JSON = b"J"
BYTES = b"B"


class BadFrame(Exception):
    """The other end does not keep to the protocol: it is broken, or was taken over by what it read."""


def pack(kind: bytes, payload: bytes) -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def pack_json(value: Any) -> bytes:
    return pack(JSON, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def write(stream: BinaryIO, *frames: bytes) -> None:
    stream.writelines(frames)
    stream.flush()


def read(stream: BinaryIO, kind: bytes, limit: int) -> bytes:
    """The next frame, in a child; EOFError when the parent has gone."""
    header = _exactly(stream, HEADER.size)
    found, length = HEADER.unpack(header)
    if found != kind or length > limit:
        raise BadFrame(f"{found!r} of {length} bytes")
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


async def receive(stream: asyncio.StreamReader, kind: bytes, limit: int) -> bytes:
    """The next frame, in a parent; asyncio.IncompleteReadError when the child has gone."""
    found, length = HEADER.unpack(await stream.readexactly(HEADER.size))
    if found != kind or length > limit:
        raise BadFrame(f"{found!r} of {length} bytes")
    return await stream.readexactly(length)


async def receive_json(stream: asyncio.StreamReader, limit: int) -> dict[str, Any]:
    try:
        value = json.loads(await receive(stream, JSON, limit))
    except (ValueError, RecursionError) as error:
        raise BadFrame("not JSON") from error
    if not isinstance(value, dict):
        raise BadFrame("not an object")
    return value
