"""kill -9 in each step of parse and confirm, whatever was uploaded: the draft appears once, so does the record, and no
file is left over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest

from app.kit.db import Connection, Database
from app.workloads.assignment.upload import ASSIGNMENTS
from app.workloads.exam.upload import EXAMS
from app.workloads.uploads.kind import UploadKind
from tests.support import assignments, exams
from tests.support.assignment_drafts import ready as ready_assignment
from tests.support.chat import ended
from tests.support.deployment import Deployment
from tests.support.exam_drafts import parse, ready, row, sheet
from tests.support.files import everything_in
from tests.support.fleet import KILLED, Fleet

AT_PARSING = ("parse.opened", "parse.read", "parse.written", "complete.unfinished", "complete.committed")
COMMITTED = "uploads.confirmed"
LEASE: dict[str, Any] = {"LEASE_SECONDS": "4", "HEARTBEAT_SECONDS": "0.5"}
PATIENCE = 120.0
STUDENTS = ["ada", "ben"]


async def upload_exam(api: httpx.AsyncClient, name: str) -> dict[str, Any]:
    return await exams.upload(api, exams.paper(), exams.marks(), exam_id=name)


async def upload_assignment(api: httpx.AsyncClient, name: str) -> dict[str, Any]:
    return await assignments.upload(api, assignment_id=name)


async def exam_draft(database: Database, name: str) -> Any:
    marks = sheet(*(row(each, Q1=number) for number, each in enumerate(STUDENTS, start=3)), maxima={"Q1": 5})
    return await ready(database, parse(None, marks), exam_id=name)


async def assignment_draft(database: Database, name: str) -> Any:
    return await ready_assignment(database, name, students=STUDENTS)


class Way(NamedTuple):
    """A kind, what its record counts, how a test gets an upload or a draft of it, and where its confirmation dies."""

    kind: UploadKind
    holds: tuple[str, int]
    upload: Callable[[httpx.AsyncClient, str], Awaitable[dict[str, Any]]]
    draft: Callable[[Database, str], Awaitable[Any]]
    at_confirming: tuple[str, ...]


WAYS = [
    Way(EXAMS, ("students", 2), upload_exam, exam_draft, ("exam.recorded", "exam.emitted", COMMITTED)),
    Way(
        ASSIGNMENTS,
        ("question_count", 3),
        upload_assignment,
        assignment_draft,
        ("assignment.stored", "assignment.shelved", "uploads.unconfirmed", COMMITTED),
    ),
]
each_kind = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind.path)


@pytest.fixture
def fleet(deployment: Deployment, ledger: asyncpg.Connection, tmp_path: Path) -> Fleet:
    return Fleet(deployment, ledger, tmp_path)


@each_kind
async def test_a_parse_that_is_killed_anywhere_publishes_one_draft_and_leaves_no_file_of_others(
    api: httpx.AsyncClient, deployment: Deployment, ledger: Connection, fleet: Fleet, way: Way
) -> None:
    jobs = [await way.upload(api, f"killed-{at}") for at in range(len(AT_PARSING))]
    one_at_a_time = {f"{way.kind.name.upper()}_CONCURRENCY": "1"}
    async with AsyncExitStack() as stack:
        opening = [
            fleet.worker(way.kind.name, wait=False, FAILPOINTS=f"{place}=kill", **one_at_a_time, **LEASE)
            for place in AT_PARSING
        ]
        doomed = [await stack.enter_async_context(each) for each in opening]
        for place, process in zip(AT_PARSING, doomed, strict=True):
            assert await asyncio.wait_for(process.wait(), PATIENCE) == KILLED, place
    async with fleet.worker(way.kind.name, **LEASE):
        jobs = [await ended(api, job, within=PATIENCE) for job in jobs]
    assert [job["status"] for job in jobs] == ["done"] * len(jobs)
    attempts = await ledger.fetch(
        "select status from job_attempts where job_id = any($1::uuid[])", [job["job_id"] for job in jobs]
    )
    statuses = Counter(each["status"] for each in attempts)
    assert statuses["success"] == len(jobs)
    assert statuses["lost"] >= len(AT_PARSING) - 1
    for job in jobs:
        assert (await exams.draft_of(api, job))["draft_version"] == 1
        kept = everything_in(deployment.files / "demo" / way.kind.path / job["job_id"])
        published = f"attempts/{job['attempt']}"
        assert {name.rpartition("/")[0] for name in kept} == {"", "sources", published}
        assert {f"{published}/parsed.json", f"{published}/warnings.json"} <= {*kept}


@each_kind
async def test_a_confirmation_that_is_killed_anywhere_is_repeated_to_one_record(
    api: httpx.AsyncClient, database: Database, ledger: Connection, fleet: Fleet, way: Way
) -> None:
    drafts = {place: await way.draft(database, place) for place in way.at_confirming}
    uploads = f"/v1/{way.kind.path}/uploads"

    async def strike(place: str) -> int | None:
        async with fleet.api(FAILPOINTS=f"{place}=kill") as (process, client):
            with pytest.raises(httpx.TransportError):
                await client.post(f"{uploads}/{drafts[place]}/confirm")
            return await asyncio.wait_for(process.wait(), PATIENCE)

    assert await asyncio.gather(*map(strike, drafts)) == [KILLED] * len(drafts)
    for place, job_id in drafts.items():
        left = (await api.get(f"{uploads}/{job_id}/draft")).json()["draft_status"]
        assert left == ("confirmed" if place == COMMITTED else "draft"), place
        recorded = await api.get(f"/v1/{way.kind.path}/{place}")
        assert recorded.status_code == (200 if place == COMMITTED else 404), place
    what, count = way.holds
    for place, job_id in drafts.items():
        assert (await api.post(f"{uploads}/{job_id}/confirm")).status_code == 200
        assert (await api.get(f"/v1/{way.kind.path}/{place}")).json()[what] == count
        told = await ledger.fetch(_TOLD, place, way.kind.name)
        assert sorted(each["student"] for each in told) == STUDENTS
        assert await on_the_shelf(database, way.kind.name, place) == (way.kind is ASSIGNMENTS), "a sheet has no text"


async def on_the_shelf(database: Database, kind: str, name: str) -> int:
    async with database.tenant("demo") as connection:
        query = "select count(*) from library_documents where kind = $1 and document_id = $2"
        count: int = await connection.fetchval(query, kind, name)
        return count


_TOLD = """
select payload #>> '{input,student_id}' as student from outbox
where payload #>> '{input,source,id}' = $1 and payload #>> '{input,source,kind}' = $2
"""
