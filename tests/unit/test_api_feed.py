"""The feed under outages, races and silence: with a stream and a ledger that do as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.api.jobs import feed as feed_module
from app.api.jobs.documents import Sight, see
from app.api.jobs.feed import BEGINNING, Feed, predecessor
from app.api.jobs.waiting import wait_for
from app.api.refusals import InvalidLastEventId, JobNotFound
from app.engine.events import EventBell, EventLog, StreamEvent
from app.engine.ledger.rows import JobRow
from tests.unit.test_api_documents import JOB_ID, ROW
from tests.unit.test_api_story import DONE, FAILED, PROGRESS, QUEUED, REQUEUED, RESET, RESTARTED, STARTED, row


class World(EventLog):
    """A stream and a ledger's row; both can be changed, and both can be away."""

    def __init__(self, job: JobRow | None, *events: StreamEvent) -> None:
        self.job = job
        self.events = list(events)
        self.redis_away = False
        self.postgres_away = False
        self.looks = 0
        self.bell = EventBell(None)  # type: ignore[arg-type]

    async def read(self, tenant_id: str, job_id: UUID, after: str = "-") -> list[StreamEvent]:
        assert (tenant_id, job_id) == ("demo", JOB_ID)
        if self.redis_away:
            raise ConnectionRefusedError
        return [event for event in self.events if after == "-" or _number(event.id) > _number(after)]

    async def read_job(self, job_id: UUID) -> Sight:
        self.looks += 1
        if self.postgres_away:
            raise ConnectionRefusedError
        if self.job is None:
            raise JobNotFound("gone")
        return see(self.job, base="/v1")

    async def look(self) -> Sight | None:
        return await self.read_job(JOB_ID)

    def feed(self, last_event_id: str | None = None) -> Feed:
        return Feed(self, self.bell, self.read_job, known=see(self.job or ROW, base="/v1"), last_event_id=last_event_id)

    def goes_on(self, job: JobRow | None = None, *events: StreamEvent) -> None:
        """Something happens, and the bell rings for it."""
        self.job = job or self.job
        self.events += events
        self.bell._ring(str(JOB_ID))


def _number(event_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in event_id.split("-"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "ROW_SECONDS", 0.05)
    monkeypatch.setattr(feed_module, "LATE_NEWS_SECONDS", 0.02)


async def told(frames: AsyncIterator[bytes]) -> list[str]:
    """Everything up to the end, as `id event`."""
    async with asyncio.timeout(5):
        return [_name(frame) async for frame in frames]


def _name(frame: bytes) -> str:
    fields = dict(line.split(": ", 1) for line in frame.decode().strip().splitlines())
    return f"{fields.get('id', '*')} {fields.get('event', 'keep-alive')}"


async def test_a_finished_job_is_told_from_its_stream_and_the_response_ends() -> None:
    world = World(row("done", 2), STARTED, FAILED, REQUEUED, RESET, RESTARTED, DONE)
    names = ["0-1 queued", "2-0 started", "5-0 queued", "6-0 reset", "7-0 started", "8-0 done"]
    assert await told(world.feed().frames()) == names
    assert world.looks == 1


async def test_a_finished_job_whose_stream_expired_is_told_from_the_ledger_without_delay() -> None:
    world = World(row("failed", 1))
    assert await told(world.feed().frames()) == ["0-1 queued", "* started", "* failed"]
    assert world.looks == 0  # beyond the one before it began


async def test_a_start_that_the_ledger_knows_first_is_told_with_the_streams_id() -> None:
    begun = replace(row("processing", 1), updated_at=datetime.now(UTC))
    world = World(begun)
    async with aclosing(world.feed().frames()) as frames:
        await anext(frames)
        asyncio.get_running_loop().call_later(0.005, world.goes_on, None, STARTED)
        assert _name(await anext(frames)) == "2-0 started"
        world.goes_on(row("failed", 1), FAILED)
        assert await told(frames) == ["4-0 failed"]


async def test_a_start_that_the_stream_never_tells_is_told_from_the_ledger_a_moment_later() -> None:
    world = World(replace(row("processing", 1), updated_at=datetime.now(UTC)))
    async with aclosing(world.feed().frames()) as frames:
        assert [_name(await anext(frames)) for _ in range(2)] == ["0-1 queued", "* started"]


async def test_a_job_past_retention_ends_the_response() -> None:
    assert await told(World(None).feed().frames()) == ["0-1 queued"]


async def test_a_live_job_is_followed_to_its_end() -> None:
    world = World(row("processing", 1), STARTED)
    async with aclosing(world.feed().frames()) as frames:
        assert [_name(await anext(frames)), _name(await anext(frames))] == ["0-1 queued", "2-0 started"]
        world.goes_on(row("failed", 1), PROGRESS, FAILED)
        assert await told(frames) == ["3-0 progress", "4-0 failed"]


async def test_the_end_is_found_in_the_ledger_when_redis_is_away_all_the_time() -> None:
    world = World(row("queued", 0, started=False))
    world.redis_away = True
    async with aclosing(world.feed().frames()) as frames:
        assert _name(await anext(frames)) == "0-1 queued"
        world.job = row("processing", 1)
        assert _name(await anext(frames)) == "* started"
        world.job = row("done", 1)
        assert await told(frames) == ["* done"]


async def test_a_stream_that_forgot_the_end_gets_a_moment_and_then_the_ledger_speaks() -> None:
    world = World(row("done", 1), STARTED)
    assert await told(world.feed().frames()) == ["0-1 queued", "2-0 started", "* done"]


async def test_an_end_that_the_ledger_knows_first_is_told_with_the_streams_id() -> None:
    world = World(row("failed", 1), STARTED)
    async with aclosing(world.feed().frames()) as frames:
        await anext(frames)
        await anext(frames)
        asyncio.get_running_loop().call_later(0.005, world.goes_on, None, FAILED)
        assert await told(frames) == ["4-0 failed"]


async def test_an_end_from_before_a_retry_does_not_end_the_response() -> None:
    world = World(row("queued", 1), STARTED, FAILED)
    async with aclosing(world.feed().frames()) as frames:
        assert [_name(await anext(frames)) for _ in range(2)] == ["0-1 queued", "2-0 started"]
        world.goes_on(row("done", 2), REQUEUED, RESET, RESTARTED, DONE)
        assert await told(frames) == ["5-0 queued", "6-0 reset", "7-0 started", "8-0 done"]


async def test_postgres_away_delays_the_end_and_spoils_nothing() -> None:
    world = World(row("failed", 1), STARTED, FAILED)
    world.postgres_away = True
    async with aclosing(world.feed().frames()) as frames:
        assert [_name(await anext(frames)) for _ in range(2)] == ["0-1 queued", "2-0 started"]
        asyncio.get_running_loop().call_later(0.1, setattr, world, "postgres_away", False)
        assert await told(frames) == ["4-0 failed"]


async def test_a_reader_resumes_without_gap_or_repetition() -> None:
    world = World(row("failed", 1), STARTED, PROGRESS, FAILED)
    feed = world.feed("2-0")
    assert not await feed.has_told_all()
    assert await told(feed.frames()) == ["3-0 progress", "4-0 failed"]


async def test_who_has_heard_only_the_beginning_resumes_behind_it() -> None:
    world = World(row("failed", 1), STARTED, PROGRESS, FAILED)
    feed = world.feed("0-1")
    assert not await feed.has_told_all()
    assert await told(feed.frames()) == ["2-0 started", "3-0 progress", "4-0 failed"]


async def test_who_resumes_in_a_stream_that_is_lost_hears_no_beginning_again() -> None:
    assert await told(World(row("failed", 1)).feed("0-1").frames()) == ["* started", "* failed"]
    assert await told(World(row("failed", 1)).feed("3-0").frames()) == ["* started", "* failed"]


async def test_a_beginning_that_an_earlier_release_put_into_the_stream_is_not_told_twice() -> None:
    world = World(row("failed", 1), QUEUED, STARTED, FAILED)
    assert await told(world.feed().frames()) == ["0-1 queued", "2-0 started", "4-0 failed"]


async def test_a_reader_who_saw_the_end_has_been_told_all() -> None:
    world = World(row("failed", 1), STARTED, FAILED)
    assert await world.feed("4-0").has_told_all()
    assert not await world.feed("2-0").has_told_all()
    assert not await world.feed().has_told_all()
    world.job = row("queued", 1)
    assert not await world.feed("4-0").has_told_all()


async def test_an_end_that_a_retry_undid_is_not_all() -> None:
    world = World(row("done", 2), STARTED, FAILED, REQUEUED, RESET, RESTARTED, DONE)
    feed = world.feed("4-0")
    assert not await feed.has_told_all()
    assert await told(feed.frames()) == ["5-0 queued", "6-0 reset", "7-0 started", "8-0 done"]


async def test_silence_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "KEEP_ALIVE_SECONDS", 0.02)
    world = World(row("processing", 1), STARTED)
    async with aclosing(world.feed().frames()) as frames:
        await anext(frames)
        await anext(frames)
        assert await anext(frames) == b": keep-alive\n\n"
        assert await anext(frames) == b": keep-alive\n\n"


async def test_a_reader_who_leaves_leaves_no_waiter_behind() -> None:
    world = World(row("processing", 1), STARTED)
    async with aclosing(world.feed().frames()) as frames:
        await anext(frames)
        assert world.bell._waiters
    assert not world.bell._waiters


@pytest.mark.parametrize(
    ("event_id", "before"),
    [
        ("5-1", "5-0"),
        ("5-0", f"4-{2**64 - 1}"),
        ("0-0", BEGINNING),
        (f"{2**64 - 1}-{2**64 - 1}", f"{2**64 - 1}-{2**64 - 2}"),
    ],
)
def test_the_id_before(event_id: str, before: str) -> None:
    assert predecessor(event_id) == before


@pytest.mark.parametrize(
    "event_id", ["x", "1", "1-", "-1", "1-2-3", "1-x", " 1-0", "(1-0", "$", f"{2**64}-0", f"0-{2**64}", "\u0661-0"]
)
def test_what_is_no_event_id_is_refused(event_id: str) -> None:
    with pytest.raises(InvalidLastEventId):
        predecessor(event_id)


async def test_waiting_ends_with_the_job() -> None:
    world = World(row("processing", 1))
    known = see(row("queued", 0), base="/v1")
    asyncio.get_running_loop().call_later(0.02, world.goes_on, row("done", 1))
    async with asyncio.timeout(0.5):  # the bell wakes it long before the clock would
        found = await wait_for(world.bell, world.look, known=known, until=lambda sight: not sight.row.live, seconds=30)
    assert found.row.status == "done"


async def test_waiting_ends_with_the_time() -> None:
    world = World(row("processing", 1))
    known = see(row("queued", 0), base="/v1")
    found = await wait_for(world.bell, world.look, known=known, until=lambda sight: False, seconds=0.05)
    assert found.row.status == "processing"
    assert not world.bell._waiters


async def test_an_outage_while_waiting_leaves_what_was_known() -> None:
    world = World(row("processing", 1))
    world.postgres_away = True
    known = see(replace(ROW, progress=7), base="/v1")
    found = await wait_for(world.bell, world.look, known=known, until=lambda sight: False, seconds=0)
    assert found is known
