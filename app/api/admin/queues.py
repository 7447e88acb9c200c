"""/admin/queues and /admin/workers: the operators' view across tenants. No tenant's content is read here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from app.api.admin.deps import OperatorsHand
from app.api.deps import TheServices
from app.api.problems import refusals
from app.api.refusals import QueueNotFound
from app.api.wire import JsonResponse, edge_router
from app.engine.ledger.queues import list_workers, queue_overview, set_paused
from app.tenancy.audit import Hand, record_for_platform

router = edge_router("operators")


class QueueDocument(BaseModel):
    """How a queue stands, by the ledger."""

    queue: str
    paused: bool
    queued: int
    processing: int
    oldest_ready_seconds: Annotated[float | None, Field(description="How long the oldest job that could run waits")]
    workers: Annotated[int, Field(description="Workers whose lease holds")]


class QueueList(BaseModel):
    data: list[QueueDocument]


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


async def get_queue(name: str, services: TheServices) -> str:
    if name not in services.registry.workloads:
        raise QueueNotFound(f"There are {', '.join(services.registry.workloads)}.")
    return name


Queue = Annotated[str, Depends(get_queue)]


@router.get("/queues", summary="Every queue at a glance", responses={200: {"model": QueueList}})
async def list_queues(services: TheServices) -> Response:
    async with services.database.ledger.acquire() as connection:
        return JsonResponse({"data": await queue_overview(connection, list(services.registry.workloads))})


@router.post(
    "/queues/{name}/pause",
    summary="Pause a queue",
    responses={200: {"model": QueueDocument}, **refusals(QueueNotFound)},
)
async def pause_queue(queue: Queue, services: TheServices, by: OperatorsHand) -> Response:
    """Begin no more jobs of this queue. What runs goes on, and what is submitted is accepted and waits."""
    return JsonResponse(await _set_paused(services, queue, paused=True, by=by))


@router.post(
    "/queues/{name}/resume",
    summary="Resume a queue",
    responses={200: {"model": QueueDocument}, **refusals(QueueNotFound)},
)
async def resume_queue(queue: Queue, services: TheServices, by: OperatorsHand) -> Response:
    """Begin jobs of this queue again."""
    return JsonResponse(await _set_paused(services, queue, paused=False, by=by))


@router.get("/workers", summary="Every worker process", responses={200: {"model": WorkerList}})
async def list_worker_processes(services: TheServices) -> Response:
    async with services.database.ledger.acquire() as connection:
        return JsonResponse({"data": await list_workers(connection)})


async def _set_paused(services: TheServices, queue: str, *, paused: bool, by: Hand) -> dict[str, Any]:
    async with services.database.ledger.acquire() as connection, connection.transaction():
        await set_paused(connection, queue, paused=paused, by=by.actor)
        await record_for_platform(connection, by.deed("queue.pause" if paused else "queue.resume", queue))
        return (await queue_overview(connection, [queue]))[0]
