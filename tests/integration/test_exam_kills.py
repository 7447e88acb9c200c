"""kill -9 in each step of parse and confirm: the draft appears once, so does the record, and no file is left over."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.kit.db import Connection, Database
from tests.support.chat import ended
from tests.support.deployment import Deployment
from tests.support.exam_drafts import parse, ready, row, sheet
from tests.support.exams import draft_of, marks, paper, upload
from tests.support.fleet import KILLED, Fleet

AT_PARSING = ("parse.opened", "parse.read", "parse.written", "complete.unfinished", "complete.committed")
AT_CONFIRMING = ("exam.recorded", "exam.emitted", "uploads.confirmed")
LEASE: dict[str, Any] = {"LEASE_SECONDS": "4", "HEARTBEAT_SECONDS": "0.5"}
PATIENCE = 120.0


@pytest.fixture
def fleet(deployment: Deployment, ledger: asyncpg.Connection, tmp_path: Path) -> Fleet:
    return Fleet(deployment, ledger, tmp_path)


async def test_a_parse_that_is_killed_anywhere_publishes_one_draft_and_leaves_no_file_of_others(
    api: httpx.AsyncClient, deployment: Deployment, ledger: Connection, fleet: Fleet
) -> None:
    jobs = [await upload(api, paper(), marks(), exam_id=f"killed-{at}") for at in range(len(AT_PARSING))]
    async with AsyncExitStack() as stack:
        opening = [
            fleet.worker("exam", wait=False, FAILPOINTS=f"{place}=kill", EXAM_CONCURRENCY="1", **LEASE)
            for place in AT_PARSING
        ]
        doomed = [await stack.enter_async_context(each) for each in opening]
        for place, process in zip(AT_PARSING, doomed, strict=True):
            assert await asyncio.wait_for(process.wait(), PATIENCE) == KILLED, place
    async with fleet.worker("exam", **LEASE):
        jobs = [await ended(api, job, within=PATIENCE) for job in jobs]
    assert [job["status"] for job in jobs] == ["done"] * len(jobs)
    attempts = await ledger.fetch(
        "select status from job_attempts where job_id = any($1::uuid[])", [job["job_id"] for job in jobs]
    )
    statuses = Counter(each["status"] for each in attempts)
    assert statuses["success"] == len(jobs)
    assert statuses["lost"] >= len(AT_PARSING) - 1
    for job in jobs:
        assert (await draft_of(api, job))["draft_version"] == 1
        kept = deployment.files / "demo" / "exams" / job["job_id"] / "attempts"
        assert [each.name for each in kept.iterdir()] == [str(job["attempt"])]
        assert {each.name for each in (kept / str(job["attempt"])).iterdir()} >= {"parsed.json", "warnings.json"}


async def test_a_confirmation_that_is_killed_anywhere_is_repeated_to_one_record(
    api: httpx.AsyncClient, database: Database, ledger: Connection, fleet: Fleet
) -> None:
    parsed = parse(None, sheet(row("ada", Q1=3), row("ben", Q1=4), maxima={"Q1": 5}))
    drafts = {place: await ready(database, parsed, exam_id=place) for place in AT_CONFIRMING}

    async def strike(place: str) -> int | None:
        async with fleet.api(FAILPOINTS=f"{place}=kill") as (process, client):
            with pytest.raises(httpx.TransportError):
                await client.post(f"/v1/exams/uploads/{drafts[place]}/confirm")
            return await asyncio.wait_for(process.wait(), PATIENCE)

    assert await asyncio.gather(*map(strike, AT_CONFIRMING)) == [KILLED] * len(AT_CONFIRMING)
    before = [(await api.get(f"/v1/exams/uploads/{job_id}/draft")).json() for job_id in drafts.values()]
    assert [each["draft_status"] for each in before] == ["draft", "draft", "confirmed"]
    for place, job_id in drafts.items():
        assert (await api.post(f"/v1/exams/uploads/{job_id}/confirm")).status_code == 200
        assert (await api.get(f"/v1/exams/{place}")).json()["students"] == 2
        told = await ledger.fetch(
            "select payload #>> '{input,student_id}' as student from outbox where payload #>> '{input,source,id}' = $1",
            place,
        )
        assert sorted(each["student"] for each in told) == ["ada", "ben"]
