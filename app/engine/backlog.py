"""How many jobs of a tenant may wait or run at a time, without counting them at every submit."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.engine.ledger.counting import count_live
from app.engine.ledger.keys import earlier_answers
from app.engine.ledger.newjob import Accepted, Answer, NewJob
from app.engine.policy import TenantPolicy
from app.kit.db import TRY_AGAIN, Database
from app.kit.errors import Refusal
from app.kit.logging import get_logger

FRESH_FOR = 1.0  # seconds that a count is believed at least
REST = 20  # and this many times as long as it took to count: never more than a twentieth of a connection's time
TENANTS = 10_000  # whose counts are remembered

log = get_logger(__name__)

Decide = Callable[[Sequence[NewJob]], Awaitable[Sequence[Answer]]]


class TenantQueueFull(Refusal):
    status = 429
    code = "tenant_queue_full"
    title = "The tenant has as many waiting and running jobs as it may have"
    cure = (
        "Wait until some have ended, as long as `Retry-After` says at least, or ask the operator for more `max_queued`."
    )


@dataclass(slots=True)
class _Count:
    live: int
    accepted_before: int  # what this process had accepted when it began to count
    believed_until: float


class Backlog:
    """A count that is remembered, and what this process has accepted since.

    One process never lets a tenant beyond its limit, but for jobs that another door (a retry, a relayed effect) queued
    or that were being committed while it counted. It hears of what ended, and of what other processes accepted, with
    the next count: so several together may go beyond it by what they accept within a second.
    """

    def __init__(self, policy: TenantPolicy, database: Database) -> None:
        self._policy = policy
        self._database = database
        self._counts: dict[str, _Count] = {}
        self._counting: dict[str, asyncio.Task[_Count]] = {}
        self._accepted: Counter[str] = Counter()

    async def decide(self, requests: Sequence[NewJob], decide: Decide) -> list[Answer]:
        """Let `decide` answer those for whom there is room; of the others, only repetitions are answered with a job."""
        wanted = Counter(request.tenant_id for request in requests)
        limits = {tenant_id: await self._policy.max_queued(tenant_id) for tenant_id in wanted}
        live = {tenant_id: await self._live(tenant_id) for tenant_id in wanted}
        # From here to the reservation nothing is awaited: who comes meanwhile sees what is taken.
        within, beyond = self._divide(requests, {each: limits[each] - live[each] for each in wanted})
        self._accepted.update(request.tenant_id for request in within)
        answers: dict[UUID, Answer] = {}
        try:
            if within:
                decided = await decide(within)
                answers |= zip((request.job_id for request in within), decided, strict=True)
        finally:
            self._accepted.subtract(r.tenant_id for r in within if not _is_new(answers.get(r.job_id)))
        if beyond:
            answers |= {r.job_id: _full(live[r.tenant_id], limits[r.tenant_id]) for r in beyond}
            answers |= await self._repetitions(beyond)
        return [answers[request.job_id] for request in requests]

    @staticmethod
    def _divide(requests: Sequence[NewJob], room: dict[str, int]) -> tuple[Sequence[NewJob], Sequence[NewJob]]:
        within: list[NewJob] = []
        beyond: list[NewJob] = []
        for request in requests:
            room[request.tenant_id] -= 1
            (within if room[request.tenant_id] >= 0 else beyond).append(request)
        return within, beyond

    async def _repetitions(self, requests: Sequence[NewJob]) -> dict[UUID, Answer]:
        keyed = [request for request in requests if request.idempotency_key]
        if not keyed:
            return {}
        async with self._database.ledger.acquire() as connection:
            return await earlier_answers(connection, keyed)

    async def _live(self, tenant_id: str) -> int:
        """The tenant's live jobs. Whoever finds the count old has it counted anew, and does not wait for that."""
        count = self._counts.get(tenant_id)
        if count is None:
            count = await asyncio.shield(self._ask(tenant_id))
        elif count.believed_until < time.monotonic():
            self._ask(tenant_id)
        return count.live + self._accepted[tenant_id] - count.accepted_before

    def _ask(self, tenant_id: str) -> asyncio.Task[_Count]:
        task = self._counting.get(tenant_id)
        if task is None:
            task = self._counting[tenant_id] = asyncio.create_task(self._count(tenant_id))
            task.add_done_callback(lambda task: self._counted(tenant_id, task))
        return task

    async def _count(self, tenant_id: str) -> _Count:
        accepted, started = self._accepted[tenant_id], time.monotonic()
        async with self._database.ledger.acquire() as connection:
            live = await count_live(connection, tenant_id)
        now = time.monotonic()
        return _Count(live, accepted, now + max(FRESH_FOR, REST * (now - started)))

    def _counted(self, tenant_id: str, task: asyncio.Task[_Count]) -> None:
        del self._counting[tenant_id]
        if task.cancelled():
            return
        if (error := task.exception()) is None:
            if len(self._counts) >= TENANTS:
                self._counts.clear()
            self._counts[tenant_id] = task.result()
        elif not isinstance(error, TRY_AGAIN):
            log.error("a tenant's live jobs could not be counted", tenant_id=tenant_id, exc_info=error)


def _is_new(answer: Answer | None) -> bool:
    return isinstance(answer, Accepted) and answer.fresh


def _full(live: int, limit: int) -> TenantQueueFull:
    detail = f"{live} jobs of the tenant wait or run; it may have {limit}."
    return TenantQueueFull(detail, retry_after=1, live_jobs=live, max_queued=limit)
