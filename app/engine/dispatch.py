"""Redis' side of a queue: hints, leases and the wake-up call. All of it can be rebuilt from Postgres.

Keys, all in the queue's own Redis: ARQ's sorted set (ready work below zero, the rest at the moment it is due),
`homeroom:leases` (what workers took), `homeroom:wake` (a list that idle workers block on), `homeroom:epoch` (which
server run and which rebuild this content belongs to).
A ledgered job is a member `hr:1:<job_id>:<attempt>` and nothing else; any other member is a plain ARQ job.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix

from app.engine.ledger.rows import Due, Hint
from app.kit.redis import QUEUE_KEY

LEASES_KEY = "homeroom:leases"
WAKE_KEY = "homeroom:wake"
EPOCH_KEY = "homeroom:epoch"
REBUILDING = "rebuilding:"
REBUILD_MS = 15_000  # a rebuilder that died is replaced after this time
LEDGERED = "hr:1:"  # the envelope's version is part of the name

_LUA = Path(__file__).parent / "lua"


def read_script(name: str) -> str:
    return (_LUA / f"{name}.lua").read_text()


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim took: ledgered hints, plain ARQ jobs with their scores, and when the next deferred one is due."""

    epoch: str
    next_due_ms: int  # -1: nothing is deferred
    hints: list[Hint]
    plain: list[tuple[str, int]]

    def __bool__(self) -> bool:
        return bool(self.hints or self.plain)


class Enqueued(NamedTuple):
    """What an enqueue did: how many hints were not known already, and the epoch in which Redis took them."""

    added: int
    epoch: str


class Dispatcher:
    """One queue's hints. Cheap to make; the scripts are loaded by the server on first use."""

    def __init__(self, redis: ArqRedis) -> None:
        self.redis = redis
        self._enqueue = redis.register_script(read_script("enqueue"))
        self._claim = redis.register_script(read_script("claim"))
        self._extend = redis.register_script(read_script("extend"))
        self._put_back = redis.register_script(read_script("put_back"))
        self._settle = redis.register_script(read_script("settle_epoch"))

    async def enqueue(self, dues: Sequence[Due], *, chunk: int = 1000) -> Enqueued:
        """Make these hints known. Repeating it does no harm."""
        added, epochs = 0, set()
        for start in range(0, len(dues), chunk):  # a script's arguments are bounded, and so is its run time
            arguments: list[str | int] = []
            for due in dues[start : start + chunk]:
                # Rounded up: a job that Redis serves a fraction early would be told to wait by the ledger.
                moment = math.ceil(due.run_at.timestamp() * 1000) if due.run_at else 0
                arguments += (member_of(due.hint), moment, due.priority)
            reply = await self._enqueue(keys=[QUEUE_KEY, LEASES_KEY, WAKE_KEY, EPOCH_KEY], args=arguments)
            added += int(reply[0])
            epochs.add(reply[1].decode())
        return Enqueued(added, epochs.pop() if len(epochs) == 1 else "")

    async def claim(self, want: int, lease: float) -> Claimed:
        reply = await self._claim(
            keys=[QUEUE_KEY, LEASES_KEY, EPOCH_KEY], args=[want, int(lease * 1000), LEDGERED, in_progress_key_prefix]
        )
        hints: list[Hint] = []
        plain: list[tuple[str, int]] = []
        for raw, score in zip(reply[2::2], reply[3::2], strict=True):
            member = raw.decode()
            if (hint := hint_of(member)) is not None:
                hints.append(hint)
            elif not member.startswith(LEDGERED):
                plain.append((member, int(float(score))))
            else:  # a damaged hint: drop it, the sweep knows the job
                await self.redis.zrem(LEASES_KEY, member)
        return Claimed(reply[0].decode(), int(reply[1]), hints, plain)

    async def extend(self, members: Sequence[str], lease: float) -> None:
        prefixes = [LEDGERED, in_progress_key_prefix, job_key_prefix]
        await self._extend(keys=[QUEUE_KEY, LEASES_KEY], args=[int(lease * 1000), *prefixes, *members])

    async def release(self, hints: Iterable[Hint]) -> None:
        """These deliveries are over, or were never to begin."""
        members = [member_of(hint) for hint in hints]
        if members:
            await self.redis.zrem(LEASES_KEY, *members)

    async def release_plain(self, job_id: str) -> None:
        await self.redis.zrem(LEASES_KEY, job_id)

    async def put_back(self, member: str, delay: float) -> None:
        """From a lease to the queue in one step, so that a crash finds it in one of the two."""
        keys = [QUEUE_KEY, LEASES_KEY, WAKE_KEY, in_progress_key_prefix + member]
        await self._put_back(keys=keys, args=[member, int(delay * 1000)])

    async def wait_for_work(self, timeout: float) -> None:
        """Block until somebody enqueues, or the time is over."""
        blocking: Any = self.redis.blpop  # its annotations know whole seconds only; the command knows fractions
        await blocking([WAKE_KEY], timeout=timeout)

    async def depth(self) -> tuple[int, int]:
        """(hints and plain jobs on the queue, leases)."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.zcard(QUEUE_KEY)
            pipe.zcard(LEASES_KEY)
            queued, leased = await pipe.execute()
        return int(queued), int(leased)

    async def server_run(self) -> str:
        """The identity of this run of the server: another one may have lost its last second, or everything."""
        return str((await self.redis.info("server"))["run_id"])

    async def epoch(self) -> str:
        return ((await self.redis.get(EPOCH_KEY)) or b"").decode()

    async def begin_rebuild(self, seen: str) -> str | None:
        """Become the one who rebuilds this queue; None where another did, or is at it. The mark ends by itself."""
        mark = f"{REBUILDING}{uuid4().hex}"
        if is_settled(seen):
            await self.redis.delete(EPOCH_KEY)  # an epoch of an earlier server run
        taken = await self.redis.set(EPOCH_KEY, mark, nx=True, px=REBUILD_MS)
        return mark if taken else None

    async def settle_epoch(self, mark: str, server_run: str) -> bool:
        """The queue is rebuilt; this begins an epoch like no other. False where Redis forgot again meanwhile."""
        return bool(await self._settle(keys=[EPOCH_KEY], args=[mark, f"{server_run}/{uuid4().hex}"]))


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
