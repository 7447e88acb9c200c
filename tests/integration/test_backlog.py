"""How many jobs of a tenant may wait or run: counted rarely, and kept exactly by one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
import pytest_asyncio

from app.engine import backlog
from app.engine.backlog import Backlog, TenantQueueFull
from app.engine.ledger.submit import Accepted, IdempotencyConflict, NewJob
from app.engine.submit import Submitter
from app.kit.db import Connection, Database
from app.kit.redis import connect, disconnect
from app.tenancy.limits import TenantLimits
from app.tenancy.tenants import Policies
from tests.support.deployment import ADMIN_KEY, Deployment
from tests.support.jobs import new_job
from tests.support.waiting import eventually

LIMIT = 10


class Limited(Policies):
    """The policies of a registry whose tenants may all have ten jobs."""

    async def max_queued(self, tenant_id: str) -> int:
        return LIMIT


@pytest_asyncio.fixture(loop_scope="session")
async def submitter(database: Database, deployment: Deployment) -> AsyncIterator[Submitter]:
    settings = deployment.settings()
    pool, shared = connect(settings.queues["base"].redis_url), connect(settings.shared_redis_url)
    made = Submitter(database, lambda _: pool, backlog=Backlog(Limited(database), database))
    yield made
    await made.drain()
    await disconnect(pool)
    await disconnect(shared)


@contextmanager
def always_counted_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(backlog, "FRESH_FOR", 0.0)
        patched.setattr(backlog, "REST", 0)
        yield


async def live(ledger: Connection, tenant: str) -> int:
    return int(await ledger.fetchval("select count(*) from jobs where tenant_id = $1", tenant))


async def accepted(submitter: Submitter, jobs: list[NewJob]) -> int:
    answers = await asyncio.gather(*(submitter.submit(job) for job in jobs), return_exceptions=True)
    assert all(isinstance(answer, Accepted | TenantQueueFull) for answer in answers), answers
    return sum(isinstance(answer, Accepted) for answer in answers)


async def test_a_crowd_gets_exactly_as_many_places_as_there_are(
    submitter: Submitter, ledger: Connection, tenant: str
) -> None:
    crowd = [new_job(tenant_id=tenant, lane_id="lane" if number % 3 == 0 else None) for number in range(40)]
    assert await accepted(submitter, crowd) == LIMIT
    assert await live(ledger, tenant) == LIMIT


async def test_the_refusal_says_how_many_there_are_and_when_to_ask_again(submitter: Submitter, tenant: str) -> None:
    await accepted(submitter, [new_job(tenant_id=tenant) for _ in range(LIMIT)])
    with pytest.raises(TenantQueueFull) as caught:
        await submitter.submit(new_job(tenant_id=tenant))
    assert caught.value.extra == {"live_jobs": LIMIT, "max_queued": LIMIT}
    assert caught.value.retry_after == 1


async def test_one_tenant_s_backlog_is_not_another_s(submitter: Submitter, tenant: str) -> None:
    await accepted(submitter, [new_job(tenant_id=tenant) for _ in range(LIMIT)])
    assert await accepted(submitter, [new_job(tenant_id=f"{tenant}-b") for _ in range(3)]) == 3


async def test_a_repetition_is_answered_although_there_is_no_room(submitter: Submitter, tenant: str) -> None:
    wanted = {"tenant_id": tenant, "idempotency_key": "k", "fingerprint": b"body"}
    first = await submitter.submit(new_job(**wanted))
    await accepted(submitter, [new_job(tenant_id=tenant) for _ in range(LIMIT - 1)])
    again = await submitter.submit(new_job(**wanted))
    assert (again.fresh, again.job.job_id) == (False, first.job.job_id)
    with pytest.raises(IdempotencyConflict):
        await submitter.submit(new_job(**wanted | {"fingerprint": b"other"}))


async def test_what_was_not_new_takes_no_place(submitter: Submitter, tenant: str) -> None:
    wanted = {"tenant_id": tenant, "idempotency_key": "k", "fingerprint": b"body"}
    await asyncio.gather(*(submitter.submit(new_job(**wanted)) for _ in range(LIMIT)))
    assert await accepted(submitter, [new_job(tenant_id=tenant) for _ in range(LIMIT)]) == LIMIT - 1


async def test_a_bulk_fills_the_room_and_no_more(submitter: Submitter, ledger: Connection, tenant: str) -> None:
    answers = await submitter.submit_many([new_job(tenant_id=tenant) for _ in range(LIMIT + 5)])
    assert [type(answer) for answer in answers] == [Accepted] * LIMIT + [TenantQueueFull] * 5
    assert await live(ledger, tenant) == LIMIT


async def test_places_come_back_when_jobs_end(
    submitter: Submitter, ledger: Connection, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with always_counted_anew(monkeypatch):
        await accepted(submitter, [new_job(tenant_id=tenant) for _ in range(LIMIT)])
        await ledger.execute("update jobs set status = 'cancelled', finished_at = now() where tenant_id = $1", tenant)

        async def has_room() -> bool:
            return await accepted(submitter, [new_job(tenant_id=tenant)]) == 1

        await eventually(has_room, what="a place that an ended job left")


async def test_over_http_it_is_429_alone_and_for_each_item_of_many(api: httpx.AsyncClient, tenant: str) -> None:
    admin, job = {"X-Admin-Key": ADMIN_KEY}, {"kind": "diagnostics.echo", "queue": "base", "input": {}}
    await api.put(f"/admin/tenants/{tenant}", json={"limits": {"max_queued": 3}}, headers=admin)
    wish = {"name": "n", "scopes": ["jobs:write"]}
    key = (await api.post(f"/admin/tenants/{tenant}/keys", json=wish, headers=admin)).json()["key"]
    headers = {"Authorization": f"Bearer {key}"}
    bulk = (await api.post("/v1/jobs/bulk", json={"jobs": [job] * 5}, headers=headers)).json()["data"]
    assert [each["status"] for each in bulk] == [202, 202, 202, 429, 429]
    assert bulk[3]["error"]["code"] == "tenant_queue_full"
    alone = await api.post("/v1/jobs", json=job, headers=headers)
    assert (alone.status_code, alone.json()["code"], alone.headers["Retry-After"]) == (429, "tenant_queue_full", "1")
    assert alone.json()["live_jobs"] == 3


async def test_a_tenant_that_is_not_registered_has_the_defaults(database: Database, tenant: str) -> None:
    policies, defaults = Policies(database), TenantLimits()
    assert await policies.max_queued(tenant) == defaults.max_queued
    assert await policies.weight(tenant) == defaults.weight
    assert await policies.permits(tenant, "llm_student") == defaults.llm_student
    with pytest.raises(LookupError, match="llm_total"):
        await policies.permits(tenant, "weight")
