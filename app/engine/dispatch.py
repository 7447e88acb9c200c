"""Redis' side of a queue: hints, leases, whose turn it is, and the wake-up call. Postgres can rebuild all of it.

Keys, all in the queue's own Redis: `homeroom:ready` (flows by their turn), `homeroom:ready:<flow>` (a flow's hints),
`homeroom:deferred` (hints for a later moment), `homeroom:turns` (what fairness remembers), `homeroom:leases` (what
workers took), `homeroom:wake` (a list that idle workers block on), `homeroom:epoch` (which server run and which
rebuild this content belongs to), `homeroom:ledger` (which ledger, and how far that had come); and ARQ's own sorted set,
which holds plain ARQ jobs and nothing else.
A hint is a member `hr:1:<job_id>:<attempt>`; the envelope's version is part of the name.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID, uuid4

from arq.connections import ArqRedis
from arq.constants import (
    abort_jobs_ss,
    in_progress_key_prefix,
    job_key_prefix,
    result_key_prefix,
    retry_key_prefix,
)

from app.engine.ledger.lineage import Lineage
from app.engine.ledger.rows import Due, Hint
from app.kit import json
from app.kit.redis import QUEUE_KEY, WAKE_KEY

LEASES_KEY = "homeroom:leases"
EPOCH_KEY = "homeroom:epoch"
LINEAGE_KEY = "homeroom:ledger"  # read and written by the reconciler alone, in no script
KEYS = [QUEUE_KEY, LEASES_KEY, WAKE_KEY, EPOCH_KEY, "homeroom:ready", "homeroom:deferred", "homeroom:turns"]
REBUILDING = "rebuilding:"
REBUILD_MS = 15_000  # a rebuilder that died is replaced after this time
LEDGERED = "hr:1:"
PRIORITY_MS = 60_000  # a point of priority is worth a minute of waiting, so the lowest still has its turn

_LUA = Path(__file__).parent / "lua"

Call: TypeAlias = Hint | Due  # a Due where the call says which permits it begins with
Weigh = Callable[[str], Awaitable[float]]  # a tenant's share against other tenants


def read_script(name: str) -> str:
    return (_LUA / f"{name}.lua").read_text()


async def equal_shares(_tenant_id: str) -> float:
    return 1.0


class PlainJob(NamedTuple):
    """A plain ARQ job as a claim hands it over."""

    job_id: str
    score: int  # the moment it was due, in ms: ARQ's retry delays are relative to it
    payload: bytes | None
    tries: int
    aborted: bool


class PlainEnd(NamedTuple):
    """What a plain ARQ job leaves behind."""

    job_id: str
    result: bytes | None
    keep_ms: int  # 0: for ever
    busy_ms: int = 0  # how long its in-progress key stays (ARQ's cron jobs)


@dataclass(slots=True)
class Claimed:
    """What one claim took, and when the next deferred member is due."""

    epoch: str
    next_due_ms: int  # -1: nothing is deferred
    hints: list[Hint] = field(default_factory=list)
    plain: list[PlainJob] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.hints or self.plain)

    def __len__(self) -> int:
        return len(self.hints) + len(self.plain)

    def cut(self, most: int) -> Claimed:
        """Its first members, which are in it no more."""
        plain, self.plain = self.plain[:most], self.plain[most:]
        rest = most - len(plain)
        hints, self.hints = self.hints[:rest], self.hints[rest:]
        return Claimed(self.epoch, self.next_due_ms, hints, plain)


class Enqueued(NamedTuple):
    """What an enqueue did: how many hints were not known already, and the epoch in which Redis took them."""

    added: int
    epoch: str


class Dispatcher:
    """One queue's hints. Cheap to make; the scripts are loaded by the server on first use."""

    def __init__(self, redis: ArqRedis, weigh: Weigh = equal_shares) -> None:
        self.redis = redis
        self._weigh = weigh
        self._enqueue = self._script("enqueue")
        self._claim = self._script("claim")
        self._extend = self._script("extend")
        self._let_go = self._script("let_go")
        self._put_back = self._script("put_back")
        self._put_back_plain = self._script("put_back_plain")
        self._finish_plain = self._script("finish_plain")
        self._park = self._script("park")
        self._unpark = self._script("unpark")
        self._depth = self._script("depth")
        self._settle = redis.register_script(read_script("settle_epoch"))

    def _script(self, name: str) -> Any:
        return self.redis.register_script(f"{read_script('flows')}\n{read_script(name)}")

    async def enqueue(self, dues: Sequence[Due], *, chunk: int = 1000) -> Enqueued:
        """Make these hints known. Repeating it does no harm."""
        weights = {tenant_id: await self._weigh(tenant_id) for tenant_id in {due.tenant_id for due in dues}}
        added, epochs = 0, set()
        for start in range(0, len(dues), chunk):  # a script's arguments are bounded, and so is its run time
            part = dues[start : start + chunk]
            arguments: list[str | int | float] = [len(part)]
            for due in part:
                # Rounded up: a job that Redis serves a fraction early would be told to wait by the ledger.
                moment = math.ceil(due.run_at.timestamp() * 1000) if due.run_at else 0
                arguments += (member_of(due.hint), moment, rank_of(due), flow_of(due), weights[due.tenant_id])
            for due in part:
                if due.permits:
                    arguments += (member_of(due.hint), _call_for(due))
            reply = await self._enqueue(keys=KEYS, args=arguments)
            added += int(reply[0])
            epochs.add(reply[1].decode())
        return Enqueued(added, epochs.pop() if len(epochs) == 1 else "")

    async def claim(self, want: int, lease: float, *, over: Sequence[Hint] = ()) -> Claimed:
        """Take up to `want` members under a lease; on the way, end the leases of deliveries that are over."""
        prefixes = (LEDGERED, in_progress_key_prefix, job_key_prefix, retry_key_prefix, abort_jobs_ss)
        reply = await self._claim(keys=KEYS, args=[want, int(lease * 1000), *prefixes, *map(member_of, over)])
        claimed = Claimed(reply[0].decode(), int(reply[1]))
        for raw in reply[2]:
            member = raw.decode()
            if (hint := hint_of(member)) is not None:
                claimed.hints.append(hint)
            else:  # damaged: drop it, the sweep knows the job
                await self.redis.zrem(LEASES_KEY, member)
        jobs = iter(reply[3])
        for job_id, score, payload, tries, aborted in zip(jobs, jobs, jobs, jobs, jobs, strict=True):
            claimed.plain.append(PlainJob(job_id.decode(), int(float(score)), payload, int(tries), bool(aborted)))
        return claimed

    async def extend(self, members: Sequence[str], lease: float) -> None:
        prefixes = [LEDGERED, in_progress_key_prefix, job_key_prefix]
        await self._extend(keys=KEYS, args=[int(lease * 1000), *prefixes, *members])

    async def release(self, hints: Iterable[Hint]) -> None:
        """These deliveries are over, or were never to begin."""
        members = [member_of(hint) for hint in hints]
        if members:
            await self.redis.zrem(LEASES_KEY, *members)

    async def let_go(self, members: Sequence[str]) -> None:
        """These were claimed and did not begin: whoever claims next takes them."""
        await self._let_go(keys=KEYS, args=[LEDGERED, in_progress_key_prefix, retry_key_prefix, *members])

    async def put_back(self, dues: Iterable[tuple[Due, float]]) -> None:
        """From their leases back to their flows, each after its delay in seconds."""
        arguments: list[str | int] = []
        for due, delay in dues:
            arguments += (member_of(due.hint), int(delay * 1000), rank_of(due), flow_of(due))
        if arguments:
            await self._put_back(keys=KEYS, args=arguments)

    async def park(self, dues: Iterable[tuple[Due, str]], seconds: float) -> None:
        """From their leases to where hints wait for a permit of this name, or for the end of these seconds."""
        arguments: list[str | int] = []
        for due, permit in dues:
            arguments += (member_of(due.hint), int(seconds * 1000), rank_of(due), flow_of(due), permit)
        if arguments:
            await self._park(keys=KEYS, args=arguments)

    async def unpark(self, permits: Mapping[str, int]) -> None:
        """So many permits of each name came back."""
        await self._unpark(keys=KEYS, args=[word for each in permits.items() for word in each])

    async def put_back_plain(self, job_id: str, delay: float) -> None:
        await self._put_back_plain(keys=KEYS, args=[job_id, int(delay * 1000), in_progress_key_prefix])

    async def finish_plain(self, ends: Iterable[PlainEnd]) -> None:
        """Write what plain jobs leave behind, and end their leases."""
        arguments: list[str | int | bytes] = [
            in_progress_key_prefix,
            job_key_prefix,
            retry_key_prefix,
            result_key_prefix,
            abort_jobs_ss,
        ]
        for end in ends:
            arguments += (end.job_id, end.result or b"", end.keep_ms, end.busy_ms)
        await self._finish_plain(keys=KEYS, args=arguments)

    async def wait_for_work(self, timeout: float) -> Call | None:
        """Block until somebody enqueues, or the time is over. What came, where the call names it: it is not claimed,
        and others may have it by now."""
        blocking: Any = self.redis.blpop  # its annotations know whole seconds only; the command knows fractions
        called = await blocking([WAKE_KEY], timeout=timeout)
        return _heard_in(called[1].decode()) if called else None

    async def depth(self) -> tuple[int, int]:
        """(hints and plain jobs that wait, leases)."""
        hints, deferred, plain, leased = await self._depth(keys=KEYS)
        return int(hints) + int(deferred) + int(plain), int(leased)

    async def server_run(self) -> str:
        """The identity of this run of the server: another one may have lost its last second, or everything."""
        return str((await self.redis.info("server"))["run_id"])

    async def epoch(self) -> str:
        return ((await self.redis.get(EPOCH_KEY)) or b"").decode()

    async def epoch_and_lineage(self) -> tuple[str, Lineage | None]:
        """What this content belongs to: the epoch, and the ledger that it was last seen with."""
        epoch, lineage = await self.redis.mget(EPOCH_KEY, LINEAGE_KEY)
        return (epoch or b"").decode(), Lineage.parse((lineage or b"").decode())

    async def remember(self, lineage: Lineage) -> None:
        await self.redis.set(LINEAGE_KEY, str(lineage))

    async def begin_rebuild(self, seen: str) -> str | None:
        """Become the one who rebuilds this queue; None where another did, or is at it. The mark ends by itself."""
        mark = f"{REBUILDING}{uuid4().hex}"
        if is_settled(seen):
            await self.redis.delete(EPOCH_KEY)  # an epoch of an earlier server run
        taken = await self.redis.set(EPOCH_KEY, mark, nx=True, px=REBUILD_MS)
        return mark if taken else None

    async def go_on_rebuilding(self, mark: str) -> bool:
        """Still the one who rebuilds? False where Redis forgot again meanwhile, or another took over."""
        return bool(await self._settle(keys=[EPOCH_KEY], args=[mark, mark, REBUILD_MS]))

    async def settle_epoch(self, mark: str, epoch: str) -> bool:
        """The queue is rebuilt, and this is its epoch. False where Redis forgot again meanwhile."""
        return bool(await self._settle(keys=[EPOCH_KEY], args=[mark, epoch, 0]))


def is_settled(epoch: str) -> bool:
    """Whether this is the epoch of a queue that is whole: not of one that was just emptied or is being rebuilt."""
    return bool(epoch) and not epoch.startswith(REBUILDING)


def member_of(hint: Hint) -> str:
    return f"{LEDGERED}{hint.job_id}:{hint.attempt}"


def hint_of(member: str) -> Hint | None:
    """The hint behind a member; None for plain ARQ jobs and for what is damaged."""
    if not member.startswith(LEDGERED):
        return None
    job_id, _, attempt = member.removeprefix(LEDGERED).rpartition(":")
    try:
        return Hint(UUID(job_id), int(attempt))
    except ValueError:
        return None


def _call_for(due: Due) -> str:
    """What wakes a worker for a job that begins with permits: all that it needs to take them."""
    return f"{member_of(due.hint)} {json.text([due.tenant_id, due.bulk, due.priority, due.permits])}"


def _heard_in(call: str) -> Call | None:
    member, _, more = call.partition(" ")
    hint = hint_of(member)
    if hint is None or not more:
        return hint
    try:
        tenant_id, bulk, priority, permits = json.loads(more)
    except (ValueError, TypeError):  # as some other release may write it
        return hint
    return Due(hint, tenant_id, bulk, priority, None, tuple(permits))


def flow_of(due: Due) -> str:
    """Whose share a job is served from: a tenant's bulk does not stand before its interactive jobs."""
    return f"{due.tenant_id}/bulk" if due.bulk else due.tenant_id


def rank_of(due: Due) -> int:
    """A hint's place in its flow: by age, which its job's id tells (UUIDv7), moved by priority."""
    return (due.hint.job_id.int >> 80) - due.priority * PRIORITY_MS
