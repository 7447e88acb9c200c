"""Finish: the owner's word and nobody else's, once, with an attempt row for every delivery."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.engine.ledger.begin import Delivery
from app.engine.ledger.cancel import cancel
from app.engine.ledger.finish import End, Ending, already_ended, finish
from app.engine.ledger.rescue import rescue
from app.kit.db import Connection
from tests.support.jobs import attempts, begun, end, end_lease, live_worker, queued, row


@pytest_asyncio.fixture(loop_scope="session")
async def worker(ledger: Connection) -> UUID:
    return await live_worker(ledger)


@pytest_asyncio.fixture(loop_scope="session")
async def delivery(ledger: Connection, tenant: str, worker: UUID) -> Delivery:
    return await begun(ledger, await queued(ledger, tenant_id=tenant), worker)


async def test_done_keeps_the_result_and_ends_the_job(ledger: Connection, delivery: Delivery) -> None:
    ended = await end(ledger, delivery, End.DONE, result='{"a": 1}')
    assert ended is not None
    assert (ended.status, ended.attempt) == ("done", 1)
    stored = await row(ledger, delivery.job_id)
    assert (stored["status"], stored["result"], stored["error"]) == ("done", '{"a": 1}', None)
    assert (stored["progress"], stored["step"], stored["failures"]) == (100, "done", 0)
    assert stored["finished_at"] is not None
    assert stored["deadline_at"] is None


async def test_failed_keeps_the_error_and_cuts_its_detail(ledger: Connection, delivery: Delivery) -> None:
    await end(ledger, delivery, End.FAILED, error="no_pages", error_detail="x" * 300)
    stored = await row(ledger, delivery.job_id)
    assert (stored["status"], stored["error"], stored["error_detail"]) == ("failed", "no_pages", "x" * 200)
    assert (stored["failures"], stored["result"]) == (1, None)
    assert stored["finished_at"] is not None


async def test_a_retry_is_queued_again_with_its_delay_and_spends_a_failure(
    ledger: Connection, delivery: Delivery
) -> None:
    await ledger.execute("update jobs set dispatched_at = now() where job_id = $1", delivery.job_id)
    ended = await end(ledger, delivery, End.RETRY, error="transient", delay=30.0)
    assert ended is not None
    stored = await row(ledger, delivery.job_id)
    assert ended.status == stored["status"] == "queued"
    assert ended.run_at == stored["run_at"] == stored["updated_at"] + timedelta(seconds=30)
    assert (stored["failures"], stored["losses"], stored["attempt"], stored["error"]) == (1, 0, 1, "transient")
    assert stored["dispatched_at"] is stored["finished_at"] is None


@pytest.mark.parametrize("delay", [0.0, 30.0], ids=["handed back", "snoozed"])
async def test_a_released_job_is_queued_again_and_spends_nothing(
    ledger: Connection, delivery: Delivery, delay: float
) -> None:
    await end(ledger, delivery, End.RELEASED, delay=delay)
    stored = await row(ledger, delivery.job_id)
    assert (stored["status"], stored["failures"], stored["losses"]) == ("queued", 0, 0)
    assert (stored["run_at"] is not None) == (delay > 0)
    assert await attempts(ledger, delivery.job_id) == ["released"]


async def test_cancelled_ends_the_job(ledger: Connection, delivery: Delivery) -> None:
    await end(ledger, delivery, End.CANCELLED)
    stored = await row(ledger, delivery.job_id)
    assert (stored["status"], stored["failures"]) == ("cancelled", 0)
    assert stored["finished_at"] is not None


@pytest.mark.parametrize("how", [End.RETRY, End.RELEASED])
async def test_a_job_that_should_run_again_but_is_to_be_cancelled_is_cancelled(
    ledger: Connection, delivery: Delivery, how: End
) -> None:
    await cancel(ledger, delivery.tenant_id, delivery.job_id)
    ended = await end(ledger, delivery, how, delay=5.0)
    assert ended is not None
    assert ended.status == "cancelled"
    assert (await row(ledger, delivery.job_id))["finished_at"] is not None


@pytest.mark.parametrize(("how", "status"), [(End.DONE, "done"), (End.FAILED, "failed")])
async def test_an_end_that_came_before_the_cancel_stands(
    ledger: Connection, delivery: Delivery, how: End, status: str
) -> None:
    await cancel(ledger, delivery.tenant_id, delivery.job_id)
    await end(ledger, delivery, how)
    assert (await row(ledger, delivery.job_id))["status"] == status


async def test_every_delivery_leaves_its_attempt_row(ledger: Connection, tenant: str, worker: UUID) -> None:
    delivery = await begun(ledger, await queued(ledger, tenant_id=tenant), worker)
    await ledger.execute(
        "update jobs set begun_at = begun_at - interval '3 seconds' where job_id = $1", delivery.job_id
    )
    await end(ledger, delivery, End.RETRY, error="transient", error_detail="why", exit_code=9)
    again = await begun(ledger, delivery, worker)
    await end(ledger, again, End.DONE)
    first, second = await ledger.fetch("select * from job_attempts where job_id = $1 order by attempt", delivery.job_id)
    assert (first["attempt"], first["status"], first["tenant_id"]) == (1, "retry", tenant)
    assert (first["worker_id"], first["claim_token"]) == (worker, delivery.token)
    assert (first["error"], first["error_detail"], first["exit_code"]) == ("transient", "why", 9)
    assert 3000 <= first["duration_ms"] < 60_000
    assert first["finished_at"] - first["started_at"] >= timedelta(seconds=3)
    assert (second["attempt"], second["status"], second["claim_token"]) == (2, "success", again.token)
    assert 0 <= second["duration_ms"] < 60_000


@pytest.mark.parametrize("stale", [{"attempt": 2}, {"attempt": 0}, {"token": UUID(int=1)}], ids=str)
async def test_a_stale_fence_changes_nothing(
    ledger: Connection, delivery: Delivery, stale: dict[str, int | UUID]
) -> None:
    before = await row(ledger, delivery.job_id)
    fields = {name: getattr(delivery, name) for name in Delivery.__slots__} | stale
    assert await end(ledger, Delivery(**fields), End.DONE) is None
    assert await row(ledger, delivery.job_id) == before
    assert await attempts(ledger, delivery.job_id) == []


@pytest.mark.parametrize("how", list(End))
async def test_a_second_end_changes_nothing(ledger: Connection, delivery: Delivery, how: End) -> None:
    await end(ledger, delivery, End.DONE, result="1")
    before = await row(ledger, delivery.job_id)
    assert await end(ledger, delivery, how, result="2") is None
    assert await row(ledger, delivery.job_id) == before
    assert await attempts(ledger, delivery.job_id) == ["success"]


async def test_a_lost_reply_is_reread_as_success(ledger: Connection, delivery: Delivery) -> None:
    ending = Ending(delivery, End.DONE, result="1")
    told = (await finish(ledger, [ending]))[delivery.hint]
    assert await finish(ledger, [ending]) == {}
    assert (await already_ended(ledger, [ending]))[delivery.hint] == told


async def test_another_s_end_is_not_reread_as_mine(ledger: Connection, delivery: Delivery, worker: UUID) -> None:
    await end_lease(ledger, worker)
    await rescue(ledger, "base")
    again = await begun(ledger, delivery, await live_worker(ledger))
    await end(ledger, again, End.DONE)
    assert await already_ended(ledger, [Ending(delivery, End.DONE)]) == {}


async def test_of_two_ends_of_one_job_in_a_batch_only_the_owner_s_is_told_of_success(
    ledger: Connection, delivery: Delivery, worker: UUID
) -> None:
    """A worker that was frozen may end its old attempt and the new one, which came back to it, together."""
    await end_lease(ledger, worker)
    await rescue(ledger, "base")
    again = await begun(ledger, delivery, await live_worker(ledger))
    answers = await finish(ledger, [Ending(delivery, End.FAILED), Ending(again, End.DONE, result="1")])
    assert (await row(ledger, delivery.job_id))["status"] == "done"
    assert list(answers) == [again.hint]


async def test_a_batch_ends_each_job_with_its_own_word(ledger: Connection, tenant: str, worker: UUID) -> None:
    ends = {End.DONE: "done", End.FAILED: "failed", End.CANCELLED: "cancelled", End.RETRY: "queued"}
    deliveries = {how: await begun(ledger, await queued(ledger, tenant_id=tenant), worker) for how in ends}
    answers = await finish(ledger, [Ending(each, how) for how, each in deliveries.items()])
    assert {how: answers[each.hint].status for how, each in deliveries.items()} == ends
    for how, each in deliveries.items():
        assert await attempts(ledger, each.job_id) == [how.value]


async def test_begin_clears_what_the_attempt_before_left(ledger: Connection, delivery: Delivery, worker: UUID) -> None:
    await end(ledger, delivery, End.RETRY, error="transient", error_detail="why")
    again = await begun(ledger, delivery, worker)
    stored = await row(ledger, delivery.job_id)
    assert (again.failures, again.attempt) == (1, 2)
    assert (stored["error"], stored["error_detail"], stored["progress"], stored["step"]) == (None, None, 0, None)
    assert stored["started_at"] < stored["begun_at"]


async def test_an_invented_delivery_ends_nothing(ledger: Connection, delivery: Delivery) -> None:
    fields = {name: getattr(delivery, name) for name in Delivery.__slots__} | {"job_id": uuid4()}
    assert await end(ledger, Delivery(**fields), End.DONE) is None
