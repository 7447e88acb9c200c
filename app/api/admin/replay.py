"""POST /admin/jobs/replay: dead letters, looked at and queued again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.admin.deps import OperatorsHand
from app.api.deps import Services, TheServices
from app.api.jobs.schemas import Moment
from app.api.wire import JsonResponse, Name, edge_router
from app.engine.ledger.replay import DeadLetters, count_failed, look_at_failed
from app.engine.replay import LARGEST_REPLAY, replay
from app.kit.db import Connection
from app.tenancy.audit import Hand, record_for_platform

router = edge_router("operators")

SHOWN = 20


class ReplayRequest(BaseModel):
    """Which failed jobs are to be queued again. What is left out does not matter; everything together must hold."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"queue": "chat", "error": "timeout", "limit": 500, "dry_run": True}]},
    )

    tenant: Annotated[Name | None, Field(description="Of this tenant alone")] = None
    queue: Name | None = None
    kind: Name | None = None
    error: Annotated[Name | None, Field(description="The stable code that the job failed with")] = None
    failed_after: Annotated[Moment | None, Field(description="Failed at this moment or later")] = None
    failed_before: Annotated[
        Moment | None,
        Field(description="Failed before this moment; left out: now. Send it back to repeat exactly this replay"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=LARGEST_REPLAY, strict=True, description="Queue at most so many")] = 1000
    dry_run: Annotated[bool, Field(strict=True, description="Only count and show")] = False

    def letters(self, now: datetime) -> DeadLetters:
        return DeadLetters(self.failed_before or now, self.tenant, self.queue, self.kind, self.error, self.failed_after)


class FailedJob(BaseModel):
    """A job that failed."""

    job_id: UUID
    tenant_id: str
    queue: str
    kind: str
    lane_id: str | None
    attempt: int
    retries: Annotated[int, Field(description="How often it was retried before")]
    error: str | None
    error_detail: str | None
    created_at: datetime
    finished_at: datetime


class ReplayDocument(BaseModel):
    """What matched, and what was done about it."""

    dry_run: bool
    matched: Annotated[int, Field(description="Failed jobs that the filter let through before")]
    replayed: Annotated[int, Field(description="Jobs that are queued again")]
    remaining: Annotated[int, Field(description="Failed jobs that the filter still lets through")]
    failed_before: Annotated[
        datetime, Field(description="Send this along to repeat the request: what fails again later is left alone")
    ]
    sample: Annotated[list[FailedJob], Field(description="The first 20 of those that remain, in the order of replay")]


@router.post("/jobs/replay", summary="Replay failed jobs", responses={200: {"model": ReplayDocument}})
async def replay_jobs(wanted: ReplayRequest, services: TheServices, by: OperatorsHand) -> Response:
    """Queue failed jobs again, oldest first: the same ids and inputs, each with a fresh budget of attempts and one
    retry on record, at the tail of its lane, in the lane's order.

    `dry_run` counts exactly and shows some. Up to `limit` jobs are queued, in batches of 500, each of which is in the
    audit log; repeat the request while jobs remain. A repetition with the same `failed_before` never queues a job
    that was queued before and has failed again."""
    async with services.database.ledger.acquire() as connection:
        letters = wanted.letters(await connection.fetchval("select now()"))
        matched = None if wanted.dry_run else await count_failed(connection, letters)
    replayed = 0 if wanted.dry_run else await _replay(services, wanted, letters, by)
    async with services.database.ledger.acquire() as connection:
        remaining, sample = await look_at_failed(connection, letters, SHOWN)
    matched = remaining if matched is None else matched
    answer = {"dry_run": wanted.dry_run, "matched": matched, "replayed": replayed, "remaining": remaining}
    return JsonResponse(answer | {"failed_before": letters.failed_before, "sample": sample})


async def _replay(services: Services, wanted: ReplayRequest, letters: DeadLetters, by: Hand) -> int:
    chosen = wanted.model_dump(mode="json", exclude_none=True, exclude={"dry_run"})
    chosen["failed_before"] = letters.failed_before.isoformat()

    async def record(connection: Connection, jobs: int) -> None:
        deed = by.deed("jobs.replay", wanted.queue or "every queue", filter=chosen, replayed=jobs)
        await record_for_platform(connection, deed)

    return await replay(
        letters,
        limit=wanted.limit,
        transaction=partial(_transaction, services),
        record=record,
        submitter=services.submitter,
        events=services.events,
    )


@asynccontextmanager
async def _transaction(services: Services) -> AsyncIterator[Any]:
    async with services.database.ledger.acquire() as connection, connection.transaction():
        yield connection
