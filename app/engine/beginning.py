"""Begin what was claimed: the ledger's verdicts, whatever happens to the connection in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import asyncpg

from app.engine.ledger.begin import Begun, Verdict, begin
from app.engine.ledger.losses import COMMON, Tolerance
from app.engine.ledger.rows import Hint
from app.engine.permits import Answers, Permits
from app.kit.backoff import Backoff
from app.kit.db import TRY_AGAIN, Database
from app.kit.failpoints import failpoint
from app.kit.logging import get_logger

RECONNECT = Backoff(first=0.1, cap=2.0)

log = get_logger(__name__)


class Beginner:
    """One worker's way into the ledger."""

    def __init__(
        self,
        queue: str,
        database: Database,
        *,
        worker_id: Callable[[], UUID],
        deadline_grace: float,
        only_tenant: str | None,
        give_up: Callable[[], bool],
        permits: Permits | None = None,
        tolerance: Tolerance = COMMON,
    ) -> None:
        self._queue = queue
        self._database = database
        self.worker_id = worker_id
        self._deadline_grace = deadline_grace
        self._only_tenant = only_tenant
        self._give_up = give_up
        self._permits = permits
        self._tolerance = tolerance

    async def begin(self, hints: Sequence[Hint], *, alone: bool = False) -> list[Begun]:
        """A verdict for each hint; none at all where Postgres stayed away until the worker drained.

        Hints without a verdict keep their lease in Redis, which runs out, and another worker begins them.
        """
        return await self.permit(await self.look(hints, alone=alone), alone=alone)

    async def look(self, hints: Sequence[Hint], *, alone: bool = False) -> list[Begun]:
        """Begin those that need no permit; of the others it is known now which permits they need."""
        return await self._begin(hints, alone=alone, gated=self._permits.gated if self._permits is not None else ())

    async def permit(
        self, begun: Sequence[Begun], *, alone: bool = False, answers: Answers | None = None
    ) -> list[Begun]:
        """Begin whoever waits for permits, and gets them. With answers they have been asked for already."""
        waiting = [each for each in begun if each.verdict is Verdict.PERMIT]
        if self._permits is None or not waiting:
            return list(begun)
        taking = self._permits.take(waiting) if answers is None else self._permits.heed(waiting, answers)
        granted = await taking
        failpoint("permits.taken")
        permitted = await self._begin(granted, alone=alone) if granted else []
        running = {each.hint for each in permitted if each.verdict is Verdict.RUN}
        await self._permits.give_back([hint for hint in granted if hint not in running])
        return [each for each in begun if each.verdict is not Verdict.PERMIT] + permitted

    async def _begin(self, hints: Sequence[Hint], *, alone: bool, gated: Sequence[str] = ()) -> list[Begun]:
        """A lost reply is repeated with the same tokens: if it had been a success, the repetition is told so."""
        tokens = [uuid4() for _ in hints]
        tries = 0
        while True:
            try:
                begun = await self._ask(hints, tokens, alone=alone, gated=gated)
            except TRY_AGAIN as error:
                if self._give_up():
                    return []
                tries += 1
                log.warning("postgres cannot begin claimed jobs yet; they wait", jobs=len(hints), error=str(error))
                await asyncio.sleep(RECONNECT.delay(tries))
            else:
                if any(each.verdict is Verdict.RUN for each in begun):
                    failpoint("begin.committed")
                return begun

    async def _ask(
        self, hints: Sequence[Hint], tokens: Sequence[UUID], *, alone: bool, gated: Sequence[str]
    ) -> list[Begun]:
        try:
            async with self._database.begins.use() as connection:
                return await begin(
                    connection,
                    hints,
                    tokens,
                    queue=self._queue,
                    worker_id=self.worker_id(),
                    deadline_grace=self._deadline_grace,
                    alone=alone,
                    only_tenant=self._only_tenant,
                    gated=gated,
                    tolerance=self._tolerance,
                )
        except asyncpg.UniqueViolationError:  # another worker became a lane's holder between check and write
            if len(hints) == 1:  # the next look sees that holder
                return await self._ask(hints, tokens, alone=alone, gated=gated)
            middle = len(hints) // 2
            first = await self._ask(hints[:middle], tokens[:middle], alone=alone, gated=gated)
            return first + await self._ask(hints[middle:], tokens[middle:], alone=alone, gated=gated)
