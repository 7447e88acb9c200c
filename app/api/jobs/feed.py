"""The live events of one job as server-sent event frames, whatever becomes of Redis and Postgres meanwhile."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from app.api.jobs.documents import Sight
from app.api.jobs.story import KEEP_ALIVE, Frame, Story
from app.api.jobs.waiting import ring
from app.api.outages import OUTAGES, is_outage
from app.api.refusals import InvalidLastEventId, JobExpired, JobNotFound
from app.engine.events import EventBell, StreamEvent
from app.engine.ledger.rows import JobRow
from app.kit.redis import REDIS_AWAY

ROW_SECONDS = 1.0  # between two looks at the ledger, which knows of the end even where the stream is silent
FRESH = timedelta(seconds=10)  # since the row changed: a stream that is silent so far may just be about to speak
QUIET_FACTOR = 16  # how much rarer the looks become, by and by, while Redis answers and nothing happens
LATE_NEWS_SECONDS = 0.25  # that the stream gets to tell by itself what the row already knows
KEEP_ALIVE_SECONDS = 10.0
REDIS_PATIENCE = 1.0
BEGINNING = "-"

_LARGEST_PART = 2**64 - 1
_EVENT_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")


class EventSource(Protocol):
    """Where a job's events are read: the log of all of them, or what a reader may see of it."""

    async def read(self, tenant_id: str, job_id: UUID, after: str = ...) -> list[StreamEvent]: ...


class Feed:
    """What one reader hears of one job."""

    def __init__(
        self,
        events: EventSource,
        bell: EventBell,
        read_job: Callable[[UUID], Awaitable[Sight]],
        *,
        known: Sight,
        last_event_id: str | None,
    ) -> None:
        self._events = events
        self._bell = bell
        self._read_job = read_job
        self._job = known.row
        self._known: Sight | None = known  # as it was just read: the first look need not ask again
        self._before_seen = BEGINNING if last_event_id is None else predecessor(last_event_id)
        self._after = last_event_id or BEGINNING
        self._story = Story(str(known.row.job_id))
        self._first = self._story.begin(known.row)
        self._stream_spoke = False
        self._gave_time = False
        self._quiet = 1
        self._ask_at = self._told_at = time.monotonic()
        self._over = False

    async def has_told_all(self) -> bool:
        """Whether the last event that the reader saw was the end, so that nothing is left to tell."""
        if self._after == BEGINNING:
            return False
        events = await self._read(self._before_seen) or []
        if not events or events[0].id != self._after:
            return False
        self._story.resume(events[0])
        return len(events) == 1 and not self._job.live and self._story.knows_end(self._job)

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """Encoded frames until the job has ended. Holds no connection while it waits."""
        with self._bell.waiting_for(self._job.job_id) as rung:
            if self._after == BEGINNING:
                yield self._first.encode()
            while not self._over:
                rung.clear()
                for frame in await self._news():
                    yield frame.encode()
                    self._told_at = time.monotonic()
                if time.monotonic() >= self._told_at + KEEP_ALIVE_SECONDS:
                    yield KEEP_ALIVE
                    self._told_at = time.monotonic()
                if not self._over:
                    pause = min(self._ask_at, self._told_at + KEEP_ALIVE_SECONDS) - time.monotonic()
                    await ring(rung, max(0.0, pause))

    async def _news(self) -> list[Frame]:
        events = await self._read(self._after)
        if events:
            self._after, self._stream_spoke = events[-1].id, True
        frames = list(self._story.hear(events or ()))
        if self._story.holds_end or time.monotonic() >= self._ask_at:
            sight = await self._ask()
            self._ask_at = time.monotonic() + self._pause_between_looks(quiet=events == [] and not frames)
            if sight is not None and not self._gives_time(sight.row, redis_answers=events is not None):
                frames += self._catch_up(sight)
        return frames

    def _pause_between_looks(self, *, quiet: bool) -> float:
        """A thousand readers of quiet jobs must not ask a thousand times a second what the stream would tell."""
        self._quiet = min(2 * self._quiet, QUIET_FACTOR) if quiet else 1
        return self._quiet * ROW_SECONDS

    def _gives_time(self, row: JobRow, *, redis_answers: bool) -> bool:
        """A commit comes before its event: whether to let the stream, which has ids, tell of it first."""
        missing = self._story.is_behind(row) and not self._story.knows_end(row)
        may_speak = self._stream_spoke or datetime.now(UTC) - row.updated_at < FRESH
        self._gave_time = missing and redis_answers and may_speak and not self._gave_time
        if self._gave_time:
            self._ask_at = time.monotonic() + LATE_NEWS_SECONDS
        return self._gave_time

    def _catch_up(self, sight: Sight) -> list[Frame]:
        frames = list(self._story.catch_up(sight.row))
        if not sight.row.live:
            frames.append(self._story.end(sight.row, sight.body))
            self._over = True
        return frames

    async def _read(self, after: str) -> list[StreamEvent] | None:
        """The stream's events after this one; None while Redis is away."""
        try:
            async with asyncio.timeout(REDIS_PATIENCE):
                return await self._events.read(self._job.tenant_id, self._job.job_id, after)
        except REDIS_AWAY:
            return None

    async def _ask(self) -> Sight | None:
        """The job as it stands; None while Postgres is away."""
        known, self._known = self._known, None
        if known is not None and not self._story.holds_end:
            return known
        try:
            return await self._read_job(self._job.job_id)
        except (JobExpired, JobNotFound):
            self._over = True
            return None
        except OUTAGES as error:
            if not is_outage(error):
                raise
            return None


def predecessor(event_id: str) -> str:
    """The greatest id below this one: reading after it tells whether the event itself is still there."""
    match = _EVENT_ID.fullmatch(event_id)
    milliseconds, number = map(int, match.groups()) if match is not None else (0, _LARGEST_PART + 1)
    if max(milliseconds, number) > _LARGEST_PART:
        raise InvalidLastEventId("The last event id is no id of this API's events.")
    if number > 0:
        return f"{milliseconds}-{number - 1}"
    return f"{milliseconds - 1}-{_LARGEST_PART}" if milliseconds > 0 else BEGINNING
