"""Between a process and Postgres: a relay that lets a commit through and loses its reply, or loses the request.

It reads both directions message by message, as the protocol defines them, to know what it loses: of a statement that
contains a given text, the reply after which the server stands outside of a transaction. By then it is committed.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

SSL_REQUEST = 80877103
IDLE = b"I"  # the state in ReadyForQuery: outside of a transaction
GONE = (asyncio.IncompleteReadError, ConnectionError)


class Cutter:
    """How many replies are still to be lost, and how many were."""

    def __init__(self, host: str, port: int, text: bytes) -> None:
        self.target = (host, port)
        self.text = text
        self.armed = 0
        self.requests = False  # lose those, so that nothing is committed
        self.cuts = 0

    def strike(self) -> bool:
        if not self.armed:
            return False
        self.armed -= 1
        self.cuts += 1
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = await asyncio.open_connection(*self.target)
        link = _Link(self, (reader, writer), server)
        try:
            await link.relay()
        finally:
            for end in (writer, server[1]):
                end.transport.abort()


class _Link:
    """One connection and what is known of it."""

    def __init__(
        self,
        cutter: Cutter,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._cutter = cutter
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._statements: set[bytes] = set()  # names under which the text was prepared
        self._sent = False  # such a statement was executed, and its transaction goes on

    async def relay(self) -> None:
        with suppress(*GONE):
            await self._start()
            directions = [asyncio.create_task(self._requests()), asyncio.create_task(self._replies())]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in directions:
                    each.cancel()
                await asyncio.gather(*directions, return_exceptions=True)

    async def _start(self) -> None:
        while True:
            head = await self._from_client.readexactly(8)
            length, code = struct.unpack("!II", head)
            body = await self._from_client.readexactly(length - 8)
            if code != SSL_REQUEST:
                self._to_server.write(head + body)
                return
            self._to_client.write(b"N")

    async def _requests(self) -> None:
        while True:
            kind, message = await _message(self._from_client)
            body = message[5:]
            if kind == b"P":
                name, _, rest = body.partition(b"\0")
                (self._statements.add if self._cutter.text in rest else self._statements.discard)(name)
            elif kind == b"B" and body.partition(b"\0")[2].partition(b"\0")[0] in self._statements:
                self._sent = True
                if self._cutter.requests and self._cutter.strike():
                    return
            self._to_server.write(message)
            await self._to_server.drain()

    async def _replies(self) -> None:
        while True:
            kind, message = await _message(self._from_server)
            if self._sent and kind == b"Z" and message.endswith(IDLE):
                self._sent = False
                if self._cutter.strike():
                    return  # without its last message, nothing of a reply counts
            self._to_client.write(message)
            await self._to_client.drain()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)


@asynccontextmanager
async def serve_cutter(host: str, port: int, text: bytes) -> AsyncIterator[tuple[Cutter, int]]:
    """The relay, and the port that it listens on."""
    cutter = Cutter(host, port, text)
    server = await asyncio.start_server(cutter.serve, host, 0)
    try:
        yield cutter, server.sockets[0].getsockname()[1]
    finally:
        server.close()
