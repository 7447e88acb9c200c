"""/admin/queues, /admin/samples and /admin/workers: how the fleet stands. No tenant's content is read here."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field

from app.api.admin.deps import OperatorsHand
from app.api.deps import Services, TheServices
from app.api.headers import headers as described
from app.api.preferences import PreferredWait, wait_headers
from app.api.problems import refusals
from app.api.refusals import QueueNotFound
from app.api.wire import JsonResponse, Name, edge_router
from app.engine.ledger.queues import Flow, list_workers, queue_overview, running_jobs, set_flow
from app.engine.ledger.samples import INTERVAL, read_samples
from app.tenancy.audit import Hand, record_for_platform

router = edge_router("operators")

LOOK_SECONDS = 0.5  # between two looks whether a queue is drained


class QueueDocument(BaseModel):
    """How a queue stands, by the ledger."""

    queue: str
    state: Annotated[
        Literal["running", "paused", "draining", "drained"],
        Field(description="`drained`: it was told to drain, and nothing runs any more"),
    ]
    paused: Annotated[bool, Field(description="Nothing begins; true of a draining queue too")]
    draining: bool
    queued: Annotated[int, Field(description="All that wait: ready, scheduled and blocked")]
    ready: Annotated[int, Field(description="Jobs for which only a free slot is missing")]
    scheduled: Annotated[int, Field(description="Jobs whose moment has not come")]
    blocked: Annotated[int, Field(description="Jobs that wait behind another one of their lane")]
    processing: int
    oldest_ready_seconds: Annotated[float | None, Field(description="How long the oldest job that could run waits")]
    workers: Annotated[int, Field(description="Workers whose lease holds")]
    slots: Annotated[int, Field(description="Jobs that they can run at a time")]
    counted_at: Annotated[
        datetime, Field(description="As of when jobs that wait are counted: where very many do, some seconds ago")
    ]


class QueueList(BaseModel):
    data: list[QueueDocument]


class RunningJob(BaseModel):
    """A job that a drain waits for."""

    job_id: UUID
    tenant_id: str
    kind: str
    worker_id: UUID | None
    lane_id: str | None
    progress: int
    step: str | None
    begun_at: datetime
    deadline_at: Annotated[datetime | None, Field(description="When it is taken from its worker at the latest")]


class DrainDocument(QueueDocument):
    """A queue that drains, and what still runs of it."""

    running: Annotated[list[RunningJob], Field(description="The 100 that run longest; `processing` counts all")]


class SampleDocument(BaseModel):
    """How a queue stood at a moment, and what ended in the ten seconds before it."""

    sampled_at: datetime
    queued: int
    ready: int
    scheduled: int
    blocked: int
    processing: int
    oldest_ready_seconds: float | None
    done: Annotated[int, Field(description="Jobs done in these ten seconds")]
    failed: Annotated[int, Field(description="Jobs failed in these ten seconds")]
    latency_p50: Annotated[
        float | None,
        Field(description="Seconds from when a job could begin to when it was done: half of these ten seconds' jobs"),
    ]
    latency_p95: Annotated[float | None, Field(description="The same, of 95 in 100. By the newest 1,000 jobs")]


class QueueSamples(BaseModel):
    queue: str
    interval_seconds: int
    samples: Annotated[list[SampleDocument], Field(description="Oldest first; a gap where nobody sampled")]


class SampleList(BaseModel):
    data: list[QueueSamples]


class WorkerDocument(BaseModel):
    """One worker process."""

    worker_id: UUID
    queue: str
    host: str
    pid: int
    version: str
    slots: int
    load: Annotated[int, Field(description="Jobs that it runs")]
    started_at: datetime
    lease_until: datetime
    alive: Annotated[bool, Field(description="Whether its lease holds; if not, its jobs are given to others")]


class WorkerList(BaseModel):
    data: list[WorkerDocument]


def known_queue(name: str, services: Services) -> str:
    if name not in services.registry.workloads:
        raise QueueNotFound(f"There are {', '.join(services.registry.workloads)}.")
    return name


async def get_queue(name: str, services: TheServices) -> str:
    return known_queue(name, services)


Queue = Annotated[str, Depends(get_queue)]


@router.get("/queues", summary="Every queue at a glance", responses={200: {"model": QueueList}})
async def list_queues(services: TheServices) -> Response:
    """How many jobs wait and run, since when, and who works on them."""
    async with services.database.ledger.acquire() as connection:
        return JsonResponse({"data": await queue_overview(connection, list(services.registry.workloads))})


@router.post(
    "/queues/{name}/pause",
    summary="Pause a queue",
    responses={200: {"model": QueueDocument}, **refusals(QueueNotFound)},
)
async def pause_queue(queue: Queue, services: TheServices, by: OperatorsHand) -> Response:
    """Begin no more jobs of this queue. What runs goes on, and what is submitted is accepted and waits."""
    return JsonResponse(await _set_flow(services, queue, Flow.PAUSE, by))


@router.post(
    "/queues/{name}/drain",
    summary="Drain a queue",
    responses={200: {"model": DrainDocument, "headers": described("Preference-Applied")}, **refusals(QueueNotFound)},
)
async def drain_queue(queue: Queue, services: TheServices, by: OperatorsHand, wait: PreferredWait) -> Response:
    """Begin no more jobs of this queue on any worker, and tell what still runs.

    As a pause it accepts what is submitted, keeps what waits, and outlives a restart of everything. Beyond a pause it
    has an end: `state` is `draining` until the last job that ran has ended, and then `drained`, when workers, a model
    server or the database may be taken away. Nothing is cut off: a job may run until its `deadline_at`; cancel it, or
    stop its worker, for less. A job that fails meanwhile waits for its next attempt. `Prefer: wait=N` answers when
    the queue is drained, or after N seconds as it then stands. To repeat it is safe; `resume` undoes it."""
    row = await _set_flow(services, queue, Flow.DRAIN, by)
    until = time.monotonic() + (wait or 0)
    while row["state"] == "draining" and time.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
        async with services.database.ledger.acquire() as connection:
            row = (await queue_overview(connection, [queue]))[0]
    async with services.database.ledger.acquire() as connection:
        return JsonResponse(row | {"running": await running_jobs(connection, queue)}, headers=wait_headers(wait))


@router.post(
    "/queues/{name}/resume",
    summary="Resume a queue",
    responses={200: {"model": QueueDocument}, **refusals(QueueNotFound)},
)
async def resume_queue(queue: Queue, services: TheServices, by: OperatorsHand) -> Response:
    """Begin jobs of this queue again, whether it was paused or drained."""
    return JsonResponse(await _set_flow(services, queue, Flow.RUN, by))


@router.get(
    "/samples",
    summary="The last hour of the queues",
    responses={200: {"model": SampleList}, **refusals(QueueNotFound)},
)
async def list_samples(
    services: TheServices,
    queue: Annotated[Name | None, Query(description="This queue alone")] = None,
    minutes: Annotated[int, Query(ge=1, le=120)] = 60,
) -> Response:
    """One sample every ten seconds, taken by the base worker and kept for two hours."""
    queues = [known_queue(queue, services)] if queue is not None else list(services.registry.workloads)
    async with services.database.ledger.acquire() as connection:
        found = [(name, await read_samples(connection, name, minutes)) for name in queues]
    data = [{"queue": name, "interval_seconds": INTERVAL, "samples": samples} for name, samples in found]
    return JsonResponse({"data": data})


@router.get("/workers", summary="Every worker process", responses={200: {"model": WorkerList}})
async def list_worker_processes(services: TheServices) -> Response:
    """Who is there to work, and how long it is believed to live."""
    async with services.database.ledger.acquire() as connection:
        return JsonResponse({"data": await list_workers(connection)})


async def _set_flow(services: Services, queue: str, flow: Flow, by: Hand) -> dict[str, Any]:
    deed = "resume" if flow is Flow.RUN else flow.value
    async with services.database.ledger.acquire() as connection:
        async with connection.transaction():
            await set_flow(connection, queue, flow, by=by.actor)
            await record_for_platform(connection, by.deed(f"queue.{deed}", queue))
        return (await queue_overview(connection, [queue]))[0]
