"""kill -9 of the API on an upload's way in: what was accepted has its files, what was not leaves none for long."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.kit.db import Database
from app.workloads.exam.keeping import tidy
from app.workloads.uploads import keeping
from tests.support.deployment import TENANT, Deployment
from tests.support.files import everything_in, local_storage
from tests.support.fleet import KILLED, Fleet

AT_THE_DOOR = ("uploads.stored", "uploads.copied", "uploads.accepted")
PAPER = [("paper_files", ("paper.md", b"1. What is a half? (2 points)\n"))]
FORM = {"title": "Fractions", "date": "2026-09-01", "class_name": "7A"}


async def send(api: httpx.AsyncClient, key: str) -> httpx.Response:
    return await api.post("/v1/exams/uploads", data=FORM, files=PAPER, headers={"Idempotency-Key": key})


@pytest.fixture
def fleet(deployment: Deployment, ledger: asyncpg.Connection, tmp_path: Path) -> Fleet:
    return Fleet(deployment, ledger, tmp_path)


async def test_an_api_that_is_killed_anywhere_loses_no_upload_and_leaves_no_file(
    api: httpx.AsyncClient, database: Database, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = local_storage(fleet.deployment.files)
    files = fleet.deployment.files / TENANT / "exams"

    async def strike(place: str) -> int | None:
        async with fleet.api(FAILPOINTS=f"{place}=kill") as (process, client):
            with pytest.raises(httpx.TransportError):
                await send(client, place)
            return await asyncio.wait_for(process.wait(), 60.0)

    assert await asyncio.gather(*map(strike, AT_THE_DOOR)) == [KILLED] * len(AT_THE_DOOR)
    accepted = await fleet.ledger.fetch("select job_id::text from jobs where kind = 'exam.parse'")
    assert len(accepted) == 1
    assert everything_in(files / accepted[0]["job_id"]) == ["job.json", "sources/01.md"]
    assert len([*files.iterdir()]) == len(AT_THE_DOOR)

    answers = [await send(api, place) for place in AT_THE_DOOR]
    assert [answer.status_code for answer in answers] == [202] * len(AT_THE_DOOR)
    assert ["Idempotency-Replayed" in answer.headers for answer in answers] == [False, False, True]
    jobs = {answer.json()["job_id"] for answer in answers}
    assert accepted[0]["job_id"] in jobs

    monkeypatch.setattr(keeping, "UNCLAIMED_AFTER", timedelta(0))
    assert await tidy(database, storage)(TENANT) == 2
    assert {each.name for each in files.iterdir()} == jobs
    for job_id in jobs:
        assert everything_in(files / job_id) == ["job.json", "sources/01.md"]
