"""GET /v1/jobs/{id}/events over real HTTP: order, resumption, endings, outages and readers who leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import orjson
import pytest
import pytest_asyncio
import redis as redis_client

from app.core.embedded import EmbeddedRedis
from app.engine.events import EventBell
from app.engine.runtime import Runtime
from tests.support.deployment import Deployment, serve_worker
from tests.support.waiting import eventually

IDLE = {"kind": "diagnostics.echo", "queue": "exam"}  # no worker of these tests runs this queue
STEPS = {"kind": "diagnostics.progress", "input": {"steps": 5}}
FAIL = {"kind": "diagnostics.fail", "input": {"times": 1, "transient": False}}
STREAM_KEY = "homeroom:events:demo:"


class Heard(NamedTuple):
    id: str | None
    event: str
    data: dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(deployment: Deployment) -> AsyncIterator[Runtime]:
    async with serve_worker(deployment, "base") as runtime:
        yield runtime


async def submit(api: httpx.AsyncClient, body: dict[str, Any], *, wait: int | None = None) -> dict[str, Any]:
    answer = await api.post("/v1/jobs", json=body, headers={} if wait is None else {"Prefer": f"wait={wait}"})
    assert answer.is_success, answer.text
    job: dict[str, Any] = answer.json()
    return job


@asynccontextmanager
async def listening(
    api: httpx.AsyncClient, job: dict[str, Any], after: str | None = None
) -> AsyncIterator[AsyncIterator[Heard]]:
    headers = {} if after is None else {"Last-Event-ID": after}
    async with api.stream("GET", job["links"]["events"], headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
        yield _parsed(answer)


async def all_events(api: httpx.AsyncClient, job: dict[str, Any], after: str | None = None) -> list[Heard]:
    async with asyncio.timeout(20), listening(api, job, after) as events:
        return [event async for event in events]


async def _parsed(answer: httpx.Response) -> AsyncIterator[Heard]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield Heard(fields.get("id"), fields["event"], orjson.loads(fields["data"]))
            fields = {}


def names(events: list[Heard]) -> list[str]:
    return [event.event for event in events]


async def test_a_job_is_followed_to_its_end(api: httpx.AsyncClient, worker: Runtime) -> None:
    job = await submit(api, STEPS)
    events = await all_events(api, job)
    assert names(events) == ["queued", "started", *["progress"] * 5, "done"]
    assert {event.data["job_id"] for event in events} == {job["job_id"]}
    assert [event.data["attempt"] for event in events] == [0, *[1] * 7]
    assert events[2].data["progress"] == 20
    assert events[-1].data == (await api.get(job["links"]["self"])).json()
    assert all(event.id for event in events)


async def test_of_many_quick_jobs_every_reader_hears_each_event_once_and_by_its_id(
    api: httpx.AsyncClient, worker: Runtime
) -> None:
    async def follow() -> list[Heard]:
        return await all_events(api, await submit(api, {"kind": "diagnostics.echo"}))

    for events in await asyncio.gather(*(follow() for _ in range(50))):
        assert names(events) == ["queued", "started", "done"]
        assert all(event.id for event in events)


async def test_a_reader_resumes_anywhere_without_gap_or_repetition(api: httpx.AsyncClient, worker: Runtime) -> None:
    job = await submit(api, STEPS, wait=20)
    events = await all_events(api, job)
    for place, event in enumerate(events[:-1]):
        assert await all_events(api, job, event.id) == events[place + 1 :]
    resumed = await api.get(job["links"]["events"], params={"last_event_id": str(events[-2].id)})
    assert resumed.text.count("event: ") == 1


async def test_a_reader_who_has_seen_the_end_is_told_that_there_is_no_more(
    api: httpx.AsyncClient, worker: Runtime
) -> None:
    job = await submit(api, STEPS, wait=20)
    last = (await all_events(api, job))[-1]
    answer = await api.get(job["links"]["events"], headers={"Last-Event-ID": str(last.id)})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_an_id_that_is_none_is_refused(api: httpx.AsyncClient) -> None:
    job = await submit(api, IDLE)
    answer = await api.get(job["links"]["events"], headers={"Last-Event-ID": "yesterday"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_last_event_id")


@pytest.mark.parametrize("job_id", ["17", "0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c"])
async def test_no_job_has_no_events(api: httpx.AsyncClient, job_id: str) -> None:
    answer = await api.get(f"/v1/jobs/{job_id}/events")
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


async def test_a_retry_is_followed_past_the_earlier_end(api: httpx.AsyncClient, worker: Runtime) -> None:
    job = await submit(api, FAIL, wait=20)
    before = await all_events(api, job)
    assert names(before) == ["queued", "started", "failed"]
    await api.post(job["links"]["retry"])
    after = await all_events(api, job, before[-1].id)
    assert names(after) == ["queued", "reset", "started", "failed"]
    assert [event.data["attempt"] for event in after] == [1, 2, 2, 2]
    assert names(await all_events(api, job)) == names(before[:-1]) + names(after)


async def test_a_job_that_is_tried_again_resets_its_readers(api: httpx.AsyncClient, worker: Runtime) -> None:
    job = await submit(api, {"kind": "diagnostics.fail", "input": {"times": 1}})
    assert names(await all_events(api, job)) == ["queued", "started", "queued", "reset", "started", "done"]


async def test_a_cancel_is_heard_by_whoever_listens(api: httpx.AsyncClient) -> None:
    job = await submit(api, IDLE)
    async with asyncio.timeout(10), listening(api, job) as events:
        assert (await anext(events)).event == "queued"
        await api.post(job["links"]["cancel"])
        rest = [event async for event in events]
    assert names(rest) == ["cancelled"]
    assert rest[0].data["status"] == "cancelled"
    assert rest[0].id is not None


async def test_a_stream_that_expired_is_told_from_the_ledger(
    api: httpx.AsyncClient, worker: Runtime, redis_server: EmbeddedRedis
) -> None:
    job = await submit(api, STEPS, wait=20)
    forget(redis_server, job)
    events = await all_events(api, job)
    assert names(events) == ["queued", "started", "done"]
    assert [event.id for event in events] == ["0-1", None, None]
    assert events[-1].data["result"] == {"steps": 5}


async def test_a_reader_hears_the_end_although_redis_forgot_the_job(
    api: httpx.AsyncClient, worker: Runtime, redis_server: EmbeddedRedis
) -> None:
    job = await submit(api, {"kind": "diagnostics.sleep", "input": {"seconds": 1}})
    async with asyncio.timeout(20), listening(api, job) as events:
        assert [(await anext(events)).event for _ in range(2)] == ["queued", "started"]
        forget(redis_server, job)
        assert names([event async for event in events]) == ["done"]


async def test_a_reader_who_leaves_is_forgotten_at_once(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[UUID] = []
    waiting_for = EventBell.waiting_for

    @contextmanager
    def counted(bell: EventBell, job_id: UUID) -> Iterator[asyncio.Event]:
        with waiting_for(bell, job_id) as rung:
            readers.append(job_id)
            try:
                yield rung
            finally:
                readers.remove(job_id)

    monkeypatch.setattr(EventBell, "waiting_for", counted)
    job = await submit(api, IDLE)
    async with listening(api, job) as events:
        assert (await anext(events)).event == "queued"
        assert readers == [UUID(job["job_id"])]

    async def forgotten() -> bool:
        return not readers

    await eventually(forgotten, within=2)


def forget(server: EmbeddedRedis, job: dict[str, Any]) -> None:
    with redis_client.Redis.from_url(server.url(0)) as client:
        assert client.delete(STREAM_KEY + job["job_id"]) == 1
