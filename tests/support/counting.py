"""Count round trips where they leave this process: statements to Postgres, calls to Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import asyncpg
from arq.connections import ArqRedis


class Counted:
    """What was asked, by the statement's text and the command's name."""

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.pauses = 0  # blocking reads that nobody rang for


@contextmanager
def counting() -> Iterator[Counted]:
    counted = Counted()
    execute, command = asyncpg.Connection._execute, ArqRedis.execute_command

    async def counted_execute(self: asyncpg.Connection, query: str, *args: Any, **options: Any) -> Any:
        counted.statements[query] += 1
        return await execute(self, query, *args, **options)

    async def counted_command(self: ArqRedis, *args: Any, **options: Any) -> Any:
        counted.calls[str(args[0])] += 1
        reply = await command(self, *args, **options)  # type: ignore[no-untyped-call]
        counted.pauses += args[0] == "BLPOP" and reply is None
        return reply

    with (
        mock.patch.object(asyncpg.Connection, "_execute", counted_execute),
        mock.patch.object(ArqRedis, "execute_command", counted_command),
    ):
        yield counted
