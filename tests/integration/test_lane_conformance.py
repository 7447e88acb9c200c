"""What a lane is, said once and held against both stores: the ledger's own, and its twin in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.engine.ledger.begin import Verdict
from app.engine.ledger.finish import End
from app.engine.ledger.newjob import Accepted, LaneFull
from app.engine.ledger.rows import Hint
from app.kit.db import Database
from tests.support.jobs import QUEUE, new_job
from tests.support.lanes import LEASE, Lane, ledger_store, memory_store


@pytest_asyncio.fixture(params=["ledger", "memory"], loop_scope="session")
async def lane(request: pytest.FixtureRequest, database: Database, tenant: str) -> AsyncIterator[Lane]:
    store, later = ledger_store(database, tenant) if request.param == "ledger" else memory_store()
    yield Lane(store, (tenant, QUEUE, "lane"), await store.join(LEASE), later)


async def test_numbers_are_given_in_order_and_the_first_is_the_head(lane: Lane) -> None:
    answers = [await lane.ask() for _ in range(3)]
    jobs = [answer.job for answer in answers if isinstance(answer, Accepted)]
    assert [job.lane_seq for job in jobs] == [1, 2, 3]
    assert [answer.dispatchable for answer in answers if isinstance(answer, Accepted)] == [True, False, False]
    assert [answer.place for answer in answers if isinstance(answer, Accepted)] == [
        (0, 0, True),
        (1, 1, True),
        (2, 2, True),
    ]
    assert await lane.live() == [job.job_id for job in jobs]
    assert await lane.head() == jobs[0].job_id


async def test_jobs_begin_in_their_order_and_one_at_a_time(lane: Lane) -> None:
    jobs = [await lane.enter() for _ in range(3)]
    for job in jobs:
        waiting = [each for each in jobs if each.job_id in await lane.live() and each is not job]
        assert [await lane.verdict(each) for each in waiting] == [Verdict.LATER] * len(waiting)
        assert await lane.head() == job.job_id
        delivery = await lane.begin(job)
        assert await lane.head() is None
        assert [await lane.verdict(each) for each in waiting] == [Verdict.LATER] * len(waiting)
        ended = await lane.end(delivery)
        assert ended is not None
        assert ended.status == "done"
    assert await lane.live() == []
    assert await lane.head() is None


async def test_a_running_job_is_handed_over_to_nobody_else(lane: Lane) -> None:
    job = await lane.enter()
    delivery = await lane.begin(job)
    assert await lane.verdict(job) is Verdict.DROP
    assert await lane.verdict(job, token=delivery.token) is Verdict.RUN  # asked again, after a lost reply
    await lane.end(delivery)
    assert await lane.verdict(job) is Verdict.DROP
    assert await lane.attempts(job) == ["success"]


async def test_a_full_lane_refuses_with_its_count_and_gives_no_number(lane: Lane) -> None:
    first = await lane.enter(lane_capacity=2)
    await lane.enter(lane_capacity=2)
    refusal = await lane.ask(lane_capacity=2)
    assert isinstance(refusal, LaneFull)
    assert refusal.extra == {"lane_queue_size": 2}
    assert (refusal.retry_after or 0) > 0
    assert "2 jobs of this lane" in refusal.detail
    await lane.end(await lane.begin(first))
    assert (await lane.enter(lane_capacity=2)).lane_seq == 3


async def test_the_same_request_within_its_window_is_the_same_job(lane: Lane) -> None:
    wanted = {"fingerprint": b"a", "debounce_ms": 5_000}
    first = await lane.enter(**wanted)
    await lane.later(4)
    twin = await lane.ask(**wanted)
    assert isinstance(twin, Accepted)
    assert (twin.job.job_id, twin.fresh, twin.debounced) == (first.job_id, False, True)
    other = await lane.enter(**wanted | {"fingerprint": b"b"})
    again = await lane.enter(**wanted)
    assert (other.lane_seq, again.lane_seq) == (2, 3)  # `b` came in between: no longer a double click
    await lane.later(6)
    assert (await lane.enter(**wanted)).lane_seq == 4


async def test_what_has_ended_debounces_nothing_and_what_runs_does(lane: Lane) -> None:
    wanted = {"fingerprint": b"a", "debounce_ms": 60_000}
    first = await lane.enter(**wanted)
    delivery = await lane.begin(first)
    assert (await lane.enter(**wanted)).job_id == first.job_id
    await lane.end(delivery)
    assert (await lane.enter(**wanted)).job_id != first.job_id


async def test_a_debounced_request_is_answered_though_the_lane_is_full(lane: Lane) -> None:
    wanted = {"fingerprint": b"a", "debounce_ms": 60_000, "lane_capacity": 1}
    first = await lane.enter(**wanted)
    assert (await lane.enter(**wanted)).job_id == first.job_id


async def test_a_cancel_takes_a_waiting_job_out_and_the_others_keep_their_order(lane: Lane) -> None:
    first, second, third = [await lane.enter() for _ in range(3)]
    assert await lane.store.cancel("somebody-else", second.job_id) is None
    cancelled = await lane.store.cancel(second.tenant_id, second.job_id)
    assert cancelled is not None
    assert cancelled.status == "cancelled"
    assert await lane.store.cancel(second.tenant_id, second.job_id) is None
    assert await lane.live() == [first.job_id, third.job_id]
    assert await lane.verdict(second) is Verdict.DROP
    await lane.end(await lane.begin(first))
    assert await lane.head() == third.job_id


@pytest.mark.parametrize(
    ("how", "status"), [(End.CANCELLED, "cancelled"), (End.RETRY, "cancelled"), (End.DONE, "done")], ids=str
)
async def test_a_cancelled_holder_keeps_the_lane_until_it_has_stopped(lane: Lane, how: End, status: str) -> None:
    holder, following = await lane.enter(), await lane.enter()
    delivery = await lane.begin(holder)
    asked = await lane.store.cancel(holder.tenant_id, holder.job_id)
    assert asked is not None
    assert asked.status == "processing"
    assert await lane.verdict(following) is Verdict.LATER
    ended = await lane.end(delivery, how)
    assert ended is not None
    assert ended.status == await lane.status(holder) == status  # first commit wins
    assert await lane.head() == following.job_id


async def test_an_automatic_retry_keeps_its_place_and_the_lane(lane: Lane) -> None:
    first, second = await lane.enter(), await lane.enter()
    ended = await lane.end(await lane.begin(first), End.RETRY, error="transient", delay=5.0)
    assert ended is not None
    assert (ended.status, ended.attempt) == ("queued", 1)
    again = await lane.store.read(first.tenant_id, first.job_id)
    assert again is not None
    assert (again.lane_seq, again.error) == (1, "transient")
    begun = await lane.store.begin(Hint(first.job_id, 2), lane.worker)
    assert begun.verdict is Verdict.LATER
    assert 4 < begun.wait <= 5
    assert await lane.verdict(second) is Verdict.LATER  # it waits as long
    assert await lane.head() == first.job_id
    await lane.later(6)
    delivery = await lane.begin(again)
    assert (delivery.attempt, delivery.failures) == (2, 1)
    await lane.end(delivery)
    assert await lane.attempts(first) == ["retry", "success"]
    assert await lane.head() == second.job_id


async def test_a_release_costs_no_failure_and_keeps_the_place(lane: Lane) -> None:
    first, _ = await lane.enter(), await lane.enter()
    await lane.end(await lane.begin(first), End.RELEASED)
    assert await lane.head() == first.job_id
    released = await lane.store.read(first.tenant_id, first.job_id)
    assert released is not None
    delivery = await lane.begin(released)
    assert (delivery.attempt, delivery.failures) == (2, 0)
    assert await lane.attempts(first) == ["released", "running"]


async def test_a_failed_job_frees_the_lane_and_a_person_s_retry_goes_to_its_tail(lane: Lane) -> None:
    first, second = await lane.enter(), await lane.enter()
    assert await lane.store.retry(first.tenant_id, first.job_id) is None
    await lane.end(await lane.begin(first), End.FAILED, error="broken")
    assert await lane.live() == [second.job_id]
    retried = await lane.store.retry(first.tenant_id, first.job_id)
    assert retried is not None
    assert (retried.status, retried.lane_seq, retried.error, retried.attempt) == ("queued", 3, None, 1)
    assert await lane.live() == [second.job_id, first.job_id]
    assert await lane.verdict(retried) is Verdict.LATER
    await lane.end(await lane.begin(second))
    delivery = await lane.begin(retried)
    assert (delivery.attempt, delivery.failures) == (2, 0)  # its budget is fresh, its fence goes on
    assert await lane.store.retry(first.tenant_id, first.job_id) is None


async def test_a_lost_worker_s_job_keeps_its_place_and_the_worker_writes_no_more(lane: Lane) -> None:
    first, second = await lane.enter(), await lane.enter()
    delivery = await lane.begin(first)
    await lane.store.lose(lane.worker)
    assert await lane.end(delivery) is None
    assert await lane.status(first) == "queued"
    assert await lane.head() == first.job_id
    given_back = await lane.store.read(first.tenant_id, first.job_id)
    assert given_back is not None
    assert await lane.verdict(given_back) is Verdict.LATER  # not to a worker without a lease
    lane.worker = await lane.store.join(LEASE)
    again = await lane.begin(given_back)
    assert (again.attempt, again.failures, again.losses) == (2, 0, 1)
    assert await lane.end(delivery) is None
    await lane.end(again)
    assert await lane.attempts(first) == ["lost", "success"]
    assert await lane.head() == second.job_id


async def test_a_job_that_lost_two_workers_begins_alone_and_is_poisoned_by_the_third(lane: Lane) -> None:
    job = await lane.enter()
    for _ in range(2):
        job.attempt = (await lane.begin(job)).attempt
        await lane.store.lose(lane.worker)
        lane.worker = await lane.store.join(LEASE)
    assert await lane.verdict(job) is Verdict.ALONE
    assert (await lane.begin(job, alone=True)).suspect
    await lane.store.lose(lane.worker)
    poisoned = await lane.store.read(job.tenant_id, job.job_id)
    assert poisoned is not None
    assert (poisoned.status, poisoned.error) == ("failed", "poisoned")
    assert "died under this job 3 times" in (poisoned.error_detail or "")
    assert await lane.attempts(job) == ["lost"] * 3


async def test_a_cancelled_job_of_a_lost_worker_ends_cancelled(lane: Lane) -> None:
    job = await lane.enter()
    await lane.begin(job)
    await lane.store.cancel(job.tenant_id, job.job_id)
    await lane.store.lose(lane.worker)
    assert await lane.status(job) == "cancelled"
    assert await lane.live() == []


async def test_lanes_of_other_names_tenants_and_queues_are_other_lanes(lane: Lane) -> None:
    job = await lane.enter(lane_capacity=1)
    for elsewhere in ({"lane_id": "other"}, {"tenant_id": f"{job.tenant_id}-b"}, {"queue": "chat"}):
        assert (await lane.enter(**{"lane_capacity": 1} | elsewhere)).lane_seq == 1
    assert await lane.live() == [job.job_id]


async def test_an_unknown_job_is_dropped_and_of_nobody(lane: Lane) -> None:
    nobody = new_job().job_id
    assert (await lane.store.begin(Hint(nobody, 1), lane.worker)).verdict is Verdict.DROP
    assert await lane.store.read("demo", nobody) is None
    assert await lane.store.cancel("demo", nobody) is None
    assert await lane.store.retry("demo", nobody) is None
    assert await lane.store.attempts("demo", nobody) == []
