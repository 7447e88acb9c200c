"""How long uploads are kept, and how they go: with their jobs, with their tenant, and with what crashes left behind."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from app.core.bootstrap import ensure_tenant
from app.engine.cron import Upkeep
from app.engine.retention import Retention
from app.kit.db import Connection, Database
from app.kit.ids import uuid7
from app.storage.local import LocalStorage
from app.tenancy.tenants import create_tenant
from app.workloads import WORKLOADS
from app.workloads.assignment import keeping as assignment_keeping
from app.workloads.assignment.upload import ASSIGNMENTS
from app.workloads.base import service
from app.workloads.exam import keeping as exam_keeping
from app.workloads.exam.upload import EXAMS
from app.workloads.uploads import keeping
from tests.support import uploads as trials
from tests.support.chat import ended
from tests.support.deployment import ADMIN_KEY, MASTER_KEY, TENANT, Deployment
from tests.support.files import everything_in, local_storage
from tests.support.uploads import Paper, serve_trials, trial_worker, upload

BY_OPERATOR = {"Authorization": "", "X-Admin-Key": ADMIN_KEY}
DAY = 86_400.0
DAYS = 30


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    async with serve_trials(deployment) as client, trial_worker(deployment):
        yield client


@pytest.fixture
def storage(deployment: Deployment) -> LocalStorage:
    return local_storage(deployment.files)


async def parsed(api: httpx.AsyncClient) -> Paper:
    return Paper(api, await ended(api, (await upload(api)).json()))


async def age(ledger: Connection, job_id: str) -> None:
    past = "created_at = created_at - interval '31 days', finished_at = finished_at - interval '31 days'"
    await ledger.execute(f"update jobs set {past} where job_id = $1", UUID(job_id))


async def rows_of(database: Database, job_id: str) -> int:
    async with database.tenant(TENANT) as connection:
        count: int = await connection.fetchval("select count(*) from uploads where job_id = $1", UUID(job_id))
    return count


@pytest.mark.parametrize("confirmed", [False, True])
async def test_an_upload_goes_with_its_job(
    api: httpx.AsyncClient, ledger: Connection, database: Database, storage: LocalStorage, *, confirmed: bool
) -> None:
    retention = Retention(database, on_expire=[trials.expire(database, storage)])
    paper, other = await parsed(api), await parsed(api)
    if confirmed:
        assert (await paper.confirm()).status_code == 200
    await age(ledger, paper.job_id)
    assert await retention.sweep({TENANT: DAYS}) == 1
    assert await rows_of(database, paper.job_id) == 0
    assert await storage.files(TENANT, f"trials/{paper.job_id}") == []
    for answer in (await paper.draft(), await api.get(paper.address), await paper.confirm()):
        assert (answer.status_code, answer.json()["code"]) == (410, "upload_expired")
    assert (await other.draft()).status_code == 200
    assert len(await storage.files(TENANT, f"trials/{other.job_id}/sources")) == 1


async def test_what_was_read_anew_is_kept_for_as_long_as_the_later_job(
    api: httpx.AsyncClient, ledger: Connection, database: Database, storage: LocalStorage
) -> None:
    retention = Retention(database, on_expire=[trials.expire(database, storage)])
    paper = await parsed(api)
    later: dict[str, Any] = await ended(api, (await paper.reparse("wide")).json())
    await age(ledger, paper.job_id)
    assert await retention.sweep({TENANT: DAYS}) == 1
    assert (await paper.draft()).json()["questions"][0].startswith("wide: ")
    assert (await api.get(f"{paper.address}/files/1")).status_code == 200
    await age(ledger, later["job_id"])
    assert await retention.sweep({TENANT: DAYS}) == 1
    assert await rows_of(database, paper.job_id) == 0
    for job_id in (paper.job_id, later["job_id"]):
        assert await storage.files(TENANT, f"trials/{job_id}") == []


async def test_what_is_removed_by_halves_is_removed_by_the_next_sweep(
    api: httpx.AsyncClient, ledger: Connection, database: Database, storage: LocalStorage
) -> None:
    paper = await parsed(api)
    await age(ledger, paper.job_id)

    class Crashing(LocalStorage):
        async def remove(self, tenant_id: str, folder: str) -> None:
            await storage.remove(tenant_id, folder)
            raise RuntimeError("the machine is gone")

    crashing = trials.expire(database, Crashing(storage._root_of))
    assert await Retention(database, on_expire=[crashing]).sweep({TENANT: DAYS}) == 0
    assert (await rows_of(database, paper.job_id), (await api.get(f"{paper.address}/files/1")).status_code) == (1, 404)
    assert await Retention(database, on_expire=[trials.expire(database, storage)]).sweep({TENANT: DAYS}) == 1
    assert await rows_of(database, paper.job_id) == 0


def id_of(*, days_ago: float) -> UUID:
    milliseconds = int((time.time() - days_ago * DAY) * 1000)
    return UUID(int=milliseconds << 80 | uuid7().int & (1 << 80) - 1)


async def test_folders_that_no_upload_knows_go_after_a_day(
    api: httpx.AsyncClient, database: Database, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = await parsed(api)
    later = await ended(api, (await paper.reparse()).json())
    old, young = [str(id_of(days_ago=days)) for days in (1.1, 0.9)]
    stays = [f"trials/{paper.job_id}", f"trials/{later['job_id']}", f"trials/{young}", "trials/mine", "other/" + old]
    for folder in (*stays, f"trials/{old}"):
        await storage.put(TENANT, f"{folder}/sources/99.txt", b"x")
    tidy = trials.tidy(database, storage)
    assert [await tidy(TENANT) for _ in range(2)] == [1, 0]
    assert await storage.files(TENANT, f"trials/{old}") == []
    monkeypatch.setattr(keeping, "UNCLAIMED_AFTER", timedelta(0))
    await storage.remove(TENANT, f"trials/{young}")
    assert await tidy(TENANT) == 0  # however old they are, those that an upload knows stay
    for folder in stays[:2]:
        assert f"{folder}/sources/99.txt" in [each.key for each in await storage.files(TENANT, folder)]


async def test_one_tenant_s_trouble_is_not_another_s(database: Database) -> None:
    await create_tenant(database, "another")
    seen: list[str] = []

    async def hook(tenant_id: str) -> int:
        seen.append(tenant_id)
        if len(seen) == 1:
            raise OSError("the disk is gone")
        return 2

    upkeep = Upkeep(database, {}, None, 1.0, on_tidy=(hook, hook))  # type: ignore[arg-type] # no Redis is asked
    assert await service.tidy(upkeep) == 2 * (len(seen) - 1)
    assert {TENANT, "another"} <= set(seen)


def test_whoever_keeps_files_says_how_they_go() -> None:
    keepers = {each.name for each in WORKLOADS if each.on_expire is not None}
    assert keepers == {each.name for each in WORKLOADS if each.on_tidy is not None} == {"exam", "assignment"}
    for kind, kept in ((EXAMS, exam_keeping.KEPT), (ASSIGNMENTS, assignment_keeping.KEPT)):
        assert kept == (kind.name, kind.path, kind.job_kind)


@pytest.fixture(scope="module")
def leaver(deployment: Deployment) -> dict[str, str]:
    key = ensure_tenant(deployment.database_url, MASTER_KEY, "leaver", {})["api_key"]
    return {"Authorization": f"Bearer {key}"}


async def test_with_a_tenant_its_files_go(
    api: httpx.AsyncClient, leaver: dict[str, str], deployment: Deployment
) -> None:
    await parsed(api)
    job = (await upload(api, headers=leaver)).json()
    while job["status"] in ("queued", "processing"):
        job = (await api.get(job["links"]["self"], headers=leaver | {"Prefer": "wait=10"})).json()
    await api.delete("/admin/tenants/leaver", headers=BY_OPERATOR)
    erased = [
        (await api.post("/admin/tenants/leaver/erase", json={"confirm": "leaver"}, headers=BY_OPERATOR)).json()["files"]
        for _ in range(2)
    ]
    assert erased == [4, 0]  # the paper, its copy of the job, and what the parse wrote
    assert everything_in(deployment.files / "leaver") == []
    assert everything_in(deployment.files / TENANT) != []
