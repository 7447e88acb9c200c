"""Cancel, retry and read, as a tenant's session does them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.engine.ledger.begin import Delivery
from app.engine.ledger.cancel import cancel, cancel_requests
from app.engine.ledger.finish import End
from app.engine.ledger.pages import JobFilter
from app.engine.ledger.read import lane_places, list_jobs, read_attempts, read_job, read_job_in_lane
from app.engine.ledger.retry import retry
from app.engine.ledger.rows import JobRow
from app.kit.db import Connection, Database, driver_connection
from tests.support.jobs import attempts, begun, end, live_worker, queued, row


@pytest_asyncio.fixture(loop_scope="session")
async def worker(ledger: Connection) -> UUID:
    return await live_worker(ledger)


@asynccontextmanager
async def tenant_connection(database: Database, tenant: str) -> AsyncIterator[Connection]:
    async with database.session(tenant) as session:
        yield await driver_connection(session)


@pytest_asyncio.fixture(loop_scope="session")
async def own(database: Database, tenant: str) -> AsyncIterator[Connection]:
    """The tenant's own connection, under row level security."""
    async with tenant_connection(database, tenant) as connection:
        yield connection


async def failed(ledger: Connection, worker: UUID, **fields: Any) -> Delivery:
    delivery = await begun(ledger, await queued(ledger, **fields), worker)
    await end(ledger, delivery, End.FAILED, error="broken", error_detail="why")
    return delivery


async def test_a_queued_job_is_cancelled_at_once(ledger: Connection, own: Connection, tenant: str) -> None:
    job = await queued(ledger, tenant_id=tenant)
    answer = await cancel(own, tenant, job.job_id)
    assert answer is not None
    assert answer.status == "cancelled"
    assert answer.finished_at is not None


async def test_a_running_job_is_asked_to_stop_and_its_worker_hears_of_it(
    ledger: Connection, tenant: str, worker: UUID
) -> None:
    delivery = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    assert await cancel_requests(ledger, worker, "base") == set()
    answer = await cancel(ledger, tenant, delivery.job_id)
    assert answer is not None
    assert (answer.status, answer.finished_at) == ("processing", None)
    assert await cancel_requests(ledger, worker, "base") == {delivery.job_id}
    asked_at = (await row(ledger, delivery.job_id))["cancel_requested_at"]
    await cancel(ledger, tenant, delivery.job_id)
    assert (await row(ledger, delivery.job_id))["cancel_requested_at"] == asked_at


@pytest.mark.parametrize("how", [End.DONE, End.FAILED, End.CANCELLED])
async def test_a_job_that_has_ended_cannot_be_cancelled(
    ledger: Connection, tenant: str, worker: UUID, how: End
) -> None:
    delivery = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    await end(ledger, delivery, how)
    before = await row(ledger, delivery.job_id)
    assert await cancel(ledger, tenant, delivery.job_id) is None
    assert await row(ledger, delivery.job_id) == before


async def test_a_retry_gives_the_same_job_a_fresh_budget_and_keeps_its_history(
    ledger: Connection, own: Connection, tenant: str, worker: UUID
) -> None:
    delivery = await failed(ledger, worker, tenant_id=tenant)
    await ledger.execute("update jobs set losses = 2 where job_id = $1", delivery.job_id)
    answer = await retry(own, tenant, delivery.job_id)
    assert answer is not None
    assert (answer.job_id, answer.status, answer.attempt) == (delivery.job_id, "queued", 1)
    assert (answer.error, answer.error_detail, answer.finished_at) == (None, None, None)
    stored = await own.fetchrow("select * from jobs where job_id = $1", delivery.job_id)
    assert stored is not None
    assert (stored["failures"], stored["losses"], stored["retries"]) == (0, 0, 1)
    assert stored["dispatched_at"] is None
    assert await attempts(own, delivery.job_id) == ["failure"]


async def test_a_retried_job_begins_its_next_attempt(ledger: Connection, tenant: str, worker: UUID) -> None:
    delivery = await failed(ledger, worker, tenant_id=tenant)
    answer = await retry(ledger, tenant, delivery.job_id)
    assert answer is not None
    again = await begun(ledger, answer, worker)
    assert (again.attempt, again.failures) == (2, 0)
    await end(ledger, again, End.DONE)
    assert await attempts(ledger, delivery.job_id) == ["failure", "success"]


async def test_a_retried_lane_job_goes_to_the_tail(ledger: Connection, tenant: str, worker: UUID) -> None:
    delivery = await failed(ledger, worker, tenant_id=tenant, lane_id="lane")
    waiting = await queued(ledger, tenant_id=tenant, lane_id="lane")
    answer = await retry(ledger, tenant, delivery.job_id)
    later = await queued(ledger, tenant_id=tenant, lane_id="lane")
    assert answer is not None
    assert [job.lane_seq for job in (waiting, answer, later)] == [2, 3, 4]


@pytest.mark.parametrize("how", [End.DONE, End.CANCELLED, End.RETRY])
async def test_only_a_failed_job_can_be_retried(ledger: Connection, tenant: str, worker: UUID, how: End) -> None:
    delivery = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    assert await retry(ledger, tenant, delivery.job_id) is None
    await end(ledger, delivery, how)
    assert await retry(ledger, tenant, delivery.job_id) is None


async def test_another_tenant_s_job_can_be_neither_read_nor_cancelled_nor_retried(
    ledger: Connection, own: Connection, worker: UUID
) -> None:
    theirs = await failed(ledger, worker, tenant_id="somebody-else")
    live = await queued(ledger, tenant_id="somebody-else")
    for tenant in ("somebody-else", "nobody"):  # not even by its right name
        assert await read_job(own, tenant, theirs.job_id) is None
        assert await retry(own, tenant, theirs.job_id) is None
        assert await cancel(own, tenant, live.job_id) is None
        assert await read_attempts(own, tenant, theirs.job_id) == []
        assert await list_jobs(own, tenant, JobFilter()) == []


async def test_attempts_end_with_the_one_that_runs(ledger: Connection, tenant: str, worker: UUID) -> None:
    delivery = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    await end(ledger, delivery, End.RETRY, error="transient", exit_code=1)
    await begun(ledger, delivery, worker)
    first, second = await read_attempts(ledger, tenant, delivery.job_id)
    assert (first["attempt"], first["status"], first["exit_code"], first["error"]) == (1, "retry", 1, "transient")
    assert (second["attempt"], second["status"], second["worker_id"]) == (2, "running", worker)
    assert second["finished_at"] is second["duration_ms"] is None


async def test_a_list_is_filtered(ledger: Connection, own: Connection, tenant: str, worker: UUID) -> None:
    plain = await queued(ledger, tenant_id=tenant)
    other_queue = await queued(ledger, tenant_id=tenant, queue="chat")
    other_kind = await queued(ledger, tenant_id=tenant, kind="other.kind")
    in_lane = await queued(ledger, tenant_id=tenant, lane_id="lane")
    running = await queued(ledger, tenant_id=tenant)
    await begun(ledger, running, worker)
    everything = [running, in_lane, other_kind, other_queue, plain]

    async def listed(**wanted: Any) -> list[UUID]:
        return [job.job_id for job in await list_jobs(own, tenant, JobFilter(**wanted))]

    assert await listed() == [job.job_id for job in everything]
    assert await listed(queue="chat") == [other_queue.job_id]
    assert await listed(kind="other.kind") == [other_kind.job_id]
    assert await listed(status="processing") == [running.job_id]
    assert await listed(lane="lane") == [in_lane.job_id]
    assert await listed(queue="chat", lane="lane") == []
    assert await listed(created_after=other_kind.created_at) == [running.job_id, in_lane.job_id]


async def test_pages_join_without_gap_or_repetition(ledger: Connection, own: Connection, tenant: str) -> None:
    jobs = [await queued(ledger, tenant_id=tenant) for _ in range(7)]
    # Equal times: the id must decide.
    await ledger.execute("update jobs set created_at = $2 where tenant_id = $1", tenant, jobs[0].created_at)
    seen: list[JobRow] = []
    before = None
    while True:
        page = await list_jobs(own, tenant, JobFilter(limit=3, before=before))
        seen += page[:3]
        if len(page) <= 3:
            break
        before = (page[2].created_at, page[2].job_id)
    assert [job.job_id for job in seen] == sorted((job.job_id for job in jobs), reverse=True)


async def test_a_page_survives_rows_that_come_and_go(ledger: Connection, own: Connection, tenant: str) -> None:
    old = [await queued(ledger, tenant_id=tenant) for _ in range(4)]
    page = await list_jobs(own, tenant, JobFilter(limit=2))
    await queued(ledger, tenant_id=tenant)
    await ledger.execute("delete from jobs where job_id = $1", page[1].job_id)
    rest = await list_jobs(own, tenant, JobFilter(limit=2, before=(page[1].created_at, page[1].job_id)))
    assert [job.job_id for job in rest] == [old[1].job_id, old[0].job_id]


async def test_lane_places_count_the_live_jobs_ahead(ledger: Connection, tenant: str, worker: UUID) -> None:
    done, *jobs = [await queued(ledger, tenant_id=tenant, lane_id="lane") for _ in range(4)]
    await queued(ledger, tenant_id=tenant, lane_id="other")
    await queued(ledger, tenant_id="somebody-else", lane_id="lane")
    outside = await queued(ledger, tenant_id=tenant)
    await end(ledger, await begun(ledger, done, worker), End.DONE)
    await begun(ledger, jobs[0], worker)
    listed = await list_jobs(ledger, tenant, JobFilter(limit=10))
    places = await lane_places(ledger, listed)
    assert [places[job.job_id] for job in jobs] == [(0, 2, True), (1, 2, True), (2, 2, True)]
    assert done.job_id not in places
    assert outside.job_id not in places
    alone = [await read_job_in_lane(ledger, tenant, each.job_id) for each in (*jobs, done, outside)]
    assert [each and each[1] for each in alone] == [*(places[job.job_id] for job in jobs), None, None]
    assert [each and each[0] for each in alone] == [
        await read_job(ledger, tenant, each.job_id) for each in (*jobs, done, outside)
    ]


async def test_a_job_reads_as_its_document_needs_it(ledger: Connection, own: Connection, tenant: str) -> None:
    job = await queued(ledger, tenant_id=tenant, request_id="r", session_id="s", priority=2)
    assert await read_job(own, tenant, job.job_id) == job
    assert await read_job(own, tenant, uuid4()) is None
    assert job.live
    assert job.updated_at - job.created_at == timedelta(0)
