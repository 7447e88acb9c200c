"""Effects that cross workloads: committed with the change that they tell of, relayed at least once, each with an id.

The relay submits a job for each effect, and notes the delivery in the same transaction: in effect, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.engine.alongside import submit_alongside
from app.engine.ledger.submit import Accepted, submit
from app.engine.requests import Wish, accept
from app.engine.submit import Submitter
from app.engine.workload import Registry
from app.kit import json, trace
from app.kit.backoff import Backoff
from app.kit.db import CONNECTION_LOST, TRY_AGAIN, Connection, Database
from app.kit.errors import HomeroomError, Refusal
from app.kit.failpoints import failpoint
from app.kit.ids import uuid7
from app.kit.logging import get_logger

SUBMIT = "job.submit"  # payload: {"kind": ..., "input": ..., "lane"?: ...}

BATCH = 100
INTERVAL = 0.5  # seconds between looks at an empty outbox
BACKOFF = Backoff(first=1.0, cap=300.0)

log = get_logger(__name__)


class UndeliverableEffect(HomeroomError):
    """Nobody here can deliver this effect. It stays in the outbox; a release that knows its topic delivers it."""


async def emit(session: AsyncSession, tenant_id: str, topic: str, payload: dict[str, Any]) -> UUID:
    """Write an effect within the caller's transaction."""
    return (await emit_all(session, tenant_id, topic, [payload]))[0]


async def emit_all(session: AsyncSession, tenant_id: str, topic: str, payloads: Sequence[dict[str, Any]]) -> list[UUID]:
    """Write many effects at once; their ids, in their order."""
    ids = [uuid7() for _ in payloads]
    if (traceparent := trace.current()) is not None:
        payloads = [{**payload, trace.HEADER: traceparent} for payload in payloads]
    rows = [
        {"effect_id": effect_id, "tenant_id": tenant_id, "topic": topic, "payload": json.text(payload)}
        for effect_id, payload in zip(ids, payloads, strict=True)
    ]
    if rows:
        await session.execute(_EMIT, rows)
    return ids


class Relay:
    """Delivers what is pending. Several may run: each effect is locked by the one that delivers it."""

    def __init__(self, database: Database, registry: Registry, submitter: Submitter) -> None:
        self._database = database
        self._registry = registry
        self._submitter = submitter

    async def run(self) -> None:
        """Deliver for as long as the worker lives."""
        while True:
            taken = 0
            try:
                taken = await self.deliver_pending()
            except CONNECTION_LOST as error:
                log.warning("postgres is away; effects wait in the outbox", error=str(error))
            except Exception:
                log.exception("a round of the relay failed; the next one goes on")
            if taken < BATCH:
                await asyncio.sleep(INTERVAL)

    async def deliver_pending(self) -> int:
        """One batch; returns how many effects it took, so that a caller knows whether more may wait."""
        async with self._database.ledger.acquire() as connection, connection.transaction():
            effects = await connection.fetch(_PENDING, BATCH)
            answers = [await self._deliver(connection, effect) for effect in effects]
            failpoint("relay.delivered")
        failpoint("relay.committed")
        accepted = [answer for answer in answers if answer is not None]
        if accepted:
            await self._submitter.dispatch(accepted)
        return len(effects)

    async def _deliver(self, connection: Connection, effect: asyncpg.Record) -> Accepted | None:
        try:
            async with connection.transaction():
                answer = await self._submit(connection, effect)
                await connection.execute(_DELIVERED, effect["effect_id"])
                return answer
        except TRY_AGAIN:
            raise
        except Exception as error:  # whatever is wrong with one effect must not hold up the others
            delay = BACKOFF.delay(effect["tries"] + 1)
            await connection.execute(_POSTPONE, effect["effect_id"], delay, f"{type(error).__name__}: {error}"[:200])
            log.warning("an effect could not be delivered", effect_id=str(effect["effect_id"]), error=str(error))
            return None

    async def _submit(self, connection: Connection, effect: asyncpg.Record) -> Accepted:
        request = accept(self._registry, _wish(effect), public_only=False)
        if request.alongside is None:
            answer = (await submit(connection, [request]))[0]
        else:
            # Committed by itself, as the tenant: the engine may not write its rows. Should the note of the delivery be
            # lost, the effect's key finds this job again.
            answer = await submit_alongside(self._database, request)
        if isinstance(answer, Refusal):
            raise answer
        return answer


def _wish(effect: asyncpg.Record) -> Wish:
    if effect["topic"] != SUBMIT:
        raise UndeliverableEffect(f"no handler for topic {effect['topic']!r}")
    payload = json.loads(effect["payload"])
    return Wish(
        tenant_id=effect["tenant_id"],
        kind=payload["kind"],
        input=payload["input"],
        queue=payload.get("queue"),
        lane=payload.get("lane"),
        idempotency_key=f"outbox:{effect['effect_id']}",
        traceparent=payload.get(trace.HEADER),
    )


_EMIT = text(
    "insert into outbox (effect_id, tenant_id, topic, payload) "
    "values (:effect_id, :tenant_id, :topic, cast(:payload as jsonb))"
)

_PENDING = """
select effect_id, tenant_id, topic, payload::text as payload, tries from outbox
where delivered_at is null and next_try_at <= now()
order by next_try_at limit $1
for update skip locked
"""

_DELIVERED = "update outbox set delivered_at = now(), tries = tries + 1, error = null where effect_id = $1"

_POSTPONE = """
update outbox set tries = tries + 1, next_try_at = now() + make_interval(secs => $2), error = $3 where effect_id = $1
"""
