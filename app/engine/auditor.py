"""The auditor: counts violations of the invariants, so that what tests prove is also seen to hold in production.

It reads and never repairs: a violation is a bug, and its trace is what leads to the cause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

from app.engine import leftovers
from app.engine.ledger.audit_invariants import HISTORY, LIVE, Finding, ask_history, ask_live
from app.engine.ledger.findings import (
    FIRST,
    LAST,
    Range,
    note_position,
    range_after,
    read_position,
    settle,
    widened,
    youngest_range,
)
from app.kit.db import Connection, Database
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

INVARIANTS = tuple(f"I{number}" for number in range(1, 10))
Look: TypeAlias = Callable[[], Awaitable[Sequence[Finding]]]

log = get_logger(__name__)


class Auditor:
    """Asks about all that is live, and about history range by range."""

    def __init__(
        self,
        database: Database,
        looks: Sequence[Look] = (),  # at Redis
        *,
        jobs: int = 50_000,  # in one range
        margin: int = 5_000,  # jobs before a range, for what concerns neighbours
        confirm_after: float = 15.0,  # seconds: longer than a lease, by whose end much heals
        patience: float | None = None,  # instead of each check's own
    ) -> None:
        self._database = database
        self._looks = looks
        self._jobs = jobs
        self._margin = margin
        self._confirm_after = confirm_after
        self._patience = patience

    async def audit(self) -> list[Finding]:
        """Everything, from the first job to the last; remembers nothing."""
        found = await self._live()
        position = FIRST
        while position != LAST:
            async with self._database.ledger.acquire() as connection:
                where = await range_after(connection, position, self._jobs)
                found += await self._history(connection, where)
            position = where.upto
        return list(dict.fromkeys(found))

    async def round(self) -> None:
        """What is live, the youngest jobs, and the next range of the walk through all of them; remembers what it found.

        However large the ledger is, a round costs the same, and what goes wrong now is seen now.
        """
        live = await self._live()
        async with self._database.ledger.acquire() as connection:
            await self._note(connection, [*(check.name for check in LIVE), *leftovers.CHECKS], Range(FIRST, LAST), live)
            young = await youngest_range(connection, self._jobs)
            await self._note_history(connection, young)
            walked = Range(await read_position(connection), LAST)
            if young.after != FIRST:
                walked = await range_after(connection, walked.after, self._jobs)
                await self._note_history(connection, walked)
            await note_position(connection, FIRST if walked.upto == LAST else walked.upto)

    async def _live(self) -> list[Finding]:
        """Violations that stand: found twice, with a moment in between in which what is under way comes to its end."""
        first = set(await self._look())
        if not first:
            return []
        await asyncio.sleep(self._confirm_after)
        return sorted(first & set(await self._look()))

    async def _look(self) -> list[Finding]:
        found: list[Finding] = []
        async with self._database.ledger.acquire() as connection:
            for check in LIVE:
                patience = check.patience if self._patience is None else self._patience
                found += await ask_live(connection, check, patience)
        for look in self._looks:
            try:
                found += await look()
            except REDIS_AWAY as error:
                log.warning("a queue's leases could not be audited", error=str(error))
        return found

    async def _history(self, connection: Connection, where: Range) -> list[Finding]:
        wide = await widened(connection, where, self._margin)
        return [finding for check in HISTORY for finding in await ask_history(connection, check, *wide)]

    async def _note_history(self, connection: Connection, where: Range) -> None:
        await self._note(connection, [check.name for check in HISTORY], where, await self._history(connection, where))

    async def _note(self, connection: Connection, names: Iterable[str], where: Range, found: Sequence[Finding]) -> None:
        async with connection.transaction():
            fresh = await settle(connection, [*names], where, found)
        for finding in fresh:
            log.error("an invariant is violated", **finding._asdict() | {"subject": str(finding.subject)})
