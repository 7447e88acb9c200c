"""GET /admin/shares: how the queues' work is divided between the tenants, and how fair that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, Field

from app.api.admin.queues import known_queue
from app.api.deps import TheServices
from app.api.problems import refusals
from app.api.refusals import QueueNotFound
from app.api.wire import JsonResponse, Name, edge_router
from app.engine.ledger.shares import Share, tenant_shares
from app.tenancy.limits import TenantLimits
from app.tenancy.tenants import uncommon_weights

router = edge_router("operators")

DEFAULT_WEIGHT = TenantLimits().weight
SHOWN = 200  # tenants of a queue, those with most to do first


class TenantShare(BaseModel):
    """One tenant's part in a queue."""

    tenant_id: str
    weight: Annotated[float, Field(description="Its share against other tenants")]
    waiting: Annotated[int, Field(description="Jobs that wait, counted up to 1,000 of each kind")]
    waiting_more: Annotated[bool, Field(description="More wait than were counted")]
    running: int
    ended: Annotated[int, Field(description="Jobs of the tenant among those that ended lately")]
    share: Annotated[float | None, Field(ge=0, le=1, description="That as a part of all that ended")]
    due: Annotated[
        float | None,
        Field(ge=0, le=1, description="What its weight entitles it to among the tenants that wait; null: it does not"),
    ]


class QueueShares(BaseModel):
    queue: str
    ended: Annotated[int, Field(description="Jobs that ended lately: the newest 1,000 at most")]
    fairness: Annotated[
        float | None,
        Field(ge=0, le=1, description="Jain's index of jobs by weight, over tenants that wait; null: fewer than two"),
    ]
    tenants: Annotated[list[TenantShare], Field(description="Those with most to do first, 200 at most")]


class ShareList(BaseModel):
    data: list[QueueShares]


@router.get(
    "/shares",
    summary="Who gets how much",
    responses={200: {"model": ShareList}, **refusals(QueueNotFound)},
)
async def list_shares(
    services: TheServices,
    queue: Annotated[Name | None, Query(description="This queue alone")] = None,
    seconds: Annotated[int, Query(ge=10, le=3600, description="How far back `ended` looks")] = 60,
) -> Response:
    """How each queue's work is divided between the tenants, and how fairly: 1 is exactly by weight.

    Only where tenants wait can a division be unfair: what nobody else wanted was nobody's loss."""
    queues = [known_queue(queue, services)] if queue is not None else list(services.registry.workloads)
    async with services.database.ledger.acquire() as connection:
        found = await tenant_shares(connection, queues, seconds)
        weights = defaultdict(lambda: DEFAULT_WEIGHT, await uncommon_weights(connection))
    return JsonResponse({"data": [_document(name, found[name], weights) for name in queues]})


def jain(parts: Sequence[float]) -> float | None:
    """1 where all parts are equal, 1/n where one has everything; None where there is nothing to compare."""
    squares = sum(part * part for part in parts)
    return sum(parts) ** 2 / (len(parts) * squares) if len(parts) > 1 and squares else None


def _document(queue: str, shares: Mapping[str, Share], weights: Mapping[str, float]) -> dict[str, Any]:
    ended = sum(share.ended for share in shares.values())
    waiting = {tenant: weights[tenant] for tenant, share in shares.items() if share.waiting}
    due = {tenant: weight / sum(waiting.values()) for tenant, weight in waiting.items()}
    busiest = sorted(shares, key=lambda tenant: (-shares[tenant].ended - shares[tenant].waiting, tenant))
    return {
        "queue": queue,
        "ended": ended,
        "fairness": jain([shares[tenant].ended / weight for tenant, weight in waiting.items()]),
        "tenants": [
            {
                "tenant_id": tenant,
                "weight": weights[tenant],
                "waiting": shares[tenant].waiting,
                "waiting_more": shares[tenant].waiting_more,
                "running": shares[tenant].running,
                "ended": shares[tenant].ended,
                "share": shares[tenant].ended / ended if ended else None,
                "due": due.get(tenant),
            }
            for tenant in busiest[:SHOWN]
        ],
    }
