"""HTTP on one connection of the scripted provider: h11 knows the protocol, so that we may break it on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from typing import Any

import h11


class Wire:
    """Requests in, answers out, piece by piece."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._http = h11.Connection(h11.SERVER)

    async def request(self) -> tuple[h11.Request, bytes] | None:
        request, body = None, b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self.reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                return request, body
            else:
                return None

    async def head(self, status: int, **headers: str) -> None:
        lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
        await self._send(h11.Response(status_code=status, headers=lines))

    async def data(self, data: bytes) -> None:
        await self._send(h11.Data(data=data))

    async def event(self, value: Any) -> None:
        await self.data(b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n")

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())

    async def json(self, status: int, value: Any, **headers: str) -> None:
        raw = json.dumps(value).encode()
        await self.head(status, content_type="application/json", content_length=str(len(raw)), **headers)
        await self.data(raw)
        await self.end()

    def next(self) -> None:
        self._http.start_next_cycle()

    async def gone(self) -> None:
        """Returns when the client hangs up; a next request that comes early is kept for its turn."""
        while data := await self.reader.read(65536):
            self._http.receive_data(data)

    async def _send(self, event: h11.Event) -> None:
        self.writer.write(self._http.send(event) or b"")
        await self.writer.drain()


async def unless_gone(wire: Wire, work: Coroutine[Any, Any, str]) -> str:
    """The work's outcome, or `aborted` where the client hangs up first."""
    working, gone = asyncio.create_task(work), asyncio.create_task(wire.gone())
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else "aborted"
    finally:
        for task in (working, gone):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await task
