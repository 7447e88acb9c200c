"""GET /admin/lanes: who waits for whom."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from app.api.admin.queues import known_queue
from app.api.deps import Services, TheServices
from app.api.pages import LaneCursor, Limit, PageLaneCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor, QueueNotFound
from app.api.wire import JsonResponse, Name, edge_router
from app.engine.ledger.operate import lanes_after

router = edge_router("operators")


class LaneHead(BaseModel):
    """The job whose turn it is."""

    job_id: UUID
    kind: str
    status: Annotated[Literal["queued", "processing"], Field(description="`processing`: it holds the lane")]
    worker_id: UUID | None
    begun_at: datetime | None
    scheduled_for: Annotated[datetime | None, Field(description="Between two attempts: when it is tried again")]


class LaneDocument(BaseModel):
    """A lane with live jobs."""

    queue: str
    tenant_id: str
    lane_id: str
    head: LaneHead
    waiting: Annotated[int, Field(description="Jobs that wait behind the head")]
    oldest_wait_seconds: Annotated[float | None, Field(description="How long the first of them has waited")]


class LanePage(BaseModel):
    """By queue, tenant and lane. `next_cursor` is the way on, and null on the last page."""

    data: list[LaneDocument]
    has_more: bool
    next_cursor: str | None


@router.get(
    "/lanes",
    summary="Who waits for whom",
    responses={200: {"model": LanePage}, **refusals(QueueNotFound, InvalidCursor)},
)
async def list_lanes(
    *,
    services: TheServices,
    cursor: PageLaneCursor,
    queue: Annotated[Name | None, Query(description="Lanes of this queue alone")] = None,
    tenant: Annotated[Name | None, Query(description="Lanes of this tenant alone")] = None,
    waiting: Annotated[int, Query(ge=0, le=1_000_000, description="Lanes in which at least so many jobs wait")] = 0,
    limit: Limit = 20,
) -> Response:
    """Lanes that have live jobs: which job's turn it is, and how many wait for it since when."""
    queues = sorted([known_queue(queue, services)] if queue is not None else services.registry.workloads)
    found = await _lanes(services, queues, tenant, cursor, waiting=waiting, limit=limit + 1)
    lanes, following = cut(found, limit, lambda row: LaneCursor(row["queue"], row["tenant_id"], row["lane_id"]))
    return JsonResponse(page([_document(lane) for lane in lanes], following))


async def _lanes(
    services: Services, queues: list[str], tenant: str | None, cursor: LaneCursor | None, *, waiting: int, limit: int
) -> list[dict[str, Any]]:
    """Queue by queue, until the page is full."""
    found: list[dict[str, Any]] = []
    async with services.database.ledger.acquire() as connection:
        for queue in queues:
            if cursor is not None and queue < cursor.queue:
                continue
            after = (cursor.tenant_id, cursor.lane_id) if cursor is not None and queue == cursor.queue else ("", "")
            room = limit - len(found)
            found += await lanes_after(connection, queue, tenant, after, waiting=waiting, limit=room)
            if len(found) == limit:
                break
    return found


def _document(row: dict[str, Any]) -> dict[str, Any]:
    head = {
        "job_id": row["head_id"],
        "kind": row["head_kind"],
        "status": row["head_status"],
        "worker_id": row["worker_id"] if row["head_status"] == "processing" else None,
        "begun_at": row["begun_at"] if row["head_status"] == "processing" else None,
        "scheduled_for": row["run_at"] if row["head_status"] == "queued" else None,
    }
    shown = ("queue", "tenant_id", "lane_id", "waiting", "oldest_wait_seconds")
    return {name: row[name] for name in shown} | {"head": head}
