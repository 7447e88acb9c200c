"""Permits: how many deliveries of a sort a tenant has at a time, across all workers. Taken before the slot.

They are leased members of sets in the shared Redis. A job that finds none free holds no slot, stays queued, and so
keeps its place in its lane; its hint is parked until a permit comes back. What a running job takes for a part of its
work is in turns.py, and counts in the same sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from arq.connections import ArqRedis

from app.engine.dispatch import Dispatcher, member_of, read_script
from app.engine.ledger.begin import Begun
from app.engine.ledger.rows import Hint
from app.engine.policy import TenantPolicy
from app.engine.workload import JobKind
from app.kit.db import TRY_AGAIN
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

SINCE_KEY = "homeroom:permits:since"
UNLIMITED = 1_000_000_000
PARK_SECONDS = 2.0  # after which a parked hint looks for itself

log = get_logger(__name__)


Answers: TypeAlias = "dict[Hint, str | None]"  # None: all are taken now; else the key of one that is not to be had


class Permit(NamedTuple):
    """One name of one tenant."""

    tenant_id: str
    name: str

    @property
    def key(self) -> str:
        return f"homeroom:permits:{self.tenant_id}:{self.name}"


class PermitSets:
    """The sets of holders, for whoever takes, renews and gives back."""

    def __init__(self, redis: ArqRedis, policy: TenantPolicy, *, lease: float, heartbeat: float) -> None:
        self._redis = redis
        self._policy = policy
        self._lease_ms = int(lease * 1000)
        self._silence_ms = int(heartbeat * 1500)  # a heartbeat, and half of one for its way
        self._script = redis.register_script(read_script("permits"))

    async def ask(self, wanted: Mapping[Hint, Sequence[Permit]]) -> Answers:
        """For each: None where all its permits are taken now, else the key of one that is not to be had."""
        places = {permit: 0 for permits in wanted.values() for permit in permits}
        keys = [SINCE_KEY]
        for permit in places:
            keys.append(permit.key)
            places[permit] = len(keys)
        limits = {permit: await self._limit(permit) for permit in places}
        arguments: list[Any] = [self._lease_ms, self._silence_ms]
        for hint, permits in wanted.items():
            arguments += (member_of(hint), len(permits))
            for permit in permits:
                arguments += (places[permit], limits[permit])
        replies = await self._script(keys=keys, args=arguments)
        return {
            hint: None if reply == 0 else (permits[0].key if reply < 0 else keys[reply - 1])
            for (hint, permits), reply in zip(wanted.items(), replies, strict=True)
        }

    async def renew(self, held: Mapping[Hint, Sequence[Permit]]) -> None:
        """Tell of what is held: also to a Redis that has forgotten."""
        async with self._redis.pipeline(transaction=False) as pipe:
            seconds, micros = await self._redis.time()
            until = seconds * 1000 + micros // 1000 + self._lease_ms
            for hint, permits in held.items():
                for permit in permits:
                    pipe.zadd(permit.key, {member_of(hint): until})
            await pipe.execute()

    async def drop(self, returned: Mapping[Hint, Sequence[Permit]]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for hint, permits in returned.items():
                for permit in permits:
                    pipe.zrem(permit.key, member_of(hint))
            await pipe.execute()

    async def _limit(self, permit: Permit) -> int:
        try:
            return await self._policy.permits(permit.tenant_id, permit.name)
        except LookupError as error:  # a kind's slip, or an older job's input: it must not stop the worker
            log.warning("a permit without a limit is granted to everybody", permit=permit.name, error=str(error))
            return UNLIMITED


class Permits:
    """One worker's permits: what it takes, renews and gives back."""

    def __init__(
        self,
        kinds: Iterable[JobKind],
        redis: ArqRedis,
        dispatcher: Dispatcher,
        policy: TenantPolicy,
        *,
        lease: float,
        heartbeat: float,
    ) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._sets = PermitSets(redis, policy, lease=lease, heartbeat=heartbeat)
        self._dispatcher = dispatcher
        self._held: dict[Hint, tuple[Permit, ...]] = {}

    @property
    def gated(self) -> Sequence[str]:
        """The kinds that begin with permits only."""
        return list(self._kinds)

    def __len__(self) -> int:
        """Permits that this worker holds."""
        return sum(map(len, self._held.values()))

    def holds(self, hint: Hint) -> bool:
        return hint in self._held

    async def take(self, waiting: Sequence[Begun]) -> list[Hint]:
        """Which of these may begin. The others are parked; while a server is away they all are left to their leases."""
        return await self.heed(waiting, await self.ask(waiting))

    async def ask(self, waiting: Sequence[Begun]) -> Answers:
        """Take what is to be had for these, and nothing else: the hints stay where they are."""
        try:
            return await self._sets.ask({begun.hint: self._wanted_by(begun) for begun in waiting})
        except (*REDIS_AWAY, *TRY_AGAIN) as error:  # what began beside these must start, whatever becomes of them
            log.warning("permits cannot be taken; their jobs wait", jobs=len(waiting), error=str(error))
            return {}

    async def heed(self, waiting: Sequence[Begun], answers: Answers) -> list[Hint]:
        """Which of these claimed hints may begin, by their answers; who found a permit wanting is parked."""
        full = [(begun.due, key) for begun in waiting if begun.due and (key := answers.get(begun.hint)) is not None]
        granted = {begun.hint: self._wanted_by(begun) for begun in waiting if answers.get(begun.hint, "") is None}
        self._held |= granted
        try:
            await self._dispatcher.park(full, PARK_SECONDS)
        except REDIS_AWAY as error:
            log.warning("jobs that wait for permits were left to their leases", jobs=len(full), error=str(error))
        return list(granted)

    async def renew(self) -> None:
        """Tell of all that is held: also to a Redis that has forgotten."""
        if self._held:
            await self._sets.renew(self._held)

    async def give_back(self, hints: Iterable[Hint]) -> None:
        """These deliveries are over, or did not begin; who waits for their permits is told."""
        returned = {hint: permits for hint in hints if (permits := self._held.pop(hint, None)) is not None}
        if not returned:
            return
        try:
            await self._sets.drop(returned)
            await self._dispatcher.unpark(Counter(permit.key for permits in returned.values() for permit in permits))
        except REDIS_AWAY as error:
            log.debug("permits were left to run out", error=str(error))

    def _wanted_by(self, begun: Begun) -> tuple[Permit, ...]:
        """As its hint says, else as its kind asks for by the fields of its input."""
        assert begun.due is not None
        names = begun.due.permits or self._kinds[begun.kind].permits_for(begun.input)
        return tuple(Permit(begun.due.tenant_id, name) for name in names)
