"""GET /healthz and /readyz: for whoever keeps the process running."""

from __future__ import annotations

from typing import Literal

from fastapi import Request, Response
from pydantic import BaseModel

from app.api.deps import TheServices
from app.api.wire import JsonResponse, edge_router

router = edge_router("health")


class Health(BaseModel):
    status: Literal["ok"]
    version: str


class Readiness(BaseModel):
    """`degraded`: Redis is away, but jobs are accepted and will run. `unavailable`: nothing can be accepted."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: dict[str, str]


@router.get("/healthz", summary="Is the process alive?", responses={200: {"model": Health}})
async def healthz(request: Request) -> Response:
    """Asks no server: a process must not be killed because a database is away."""
    return JsonResponse({"status": "ok", "version": request.app.version})


@router.get(
    "/readyz",
    summary="Can the process take requests?",
    responses={200: {"model": Readiness}, 503: {"model": Readiness, "description": "Postgres is away or behind."}},
)
async def readyz(services: TheServices) -> Response:
    """Asks every server that the process needs."""
    found = await services.readiness()
    return JsonResponse(found, status_code=503 if found["status"] == "unavailable" else 200)
