"""GET /metrics, and the durations of requests that it tells of."""

from __future__ import annotations

import time

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.deps import TheServices
from app.api.wire import edge_router
from app.kit.metrics import CONTENT_TYPE, Distribution, Meter

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "_OTHER"  # OpenTelemetry's word for a method that a client made up
NO_ROUTE = "none"
NOTHING_SENT = 499  # the client had gone

router = edge_router("health")


@router.get(
    "/metrics",
    summary="Figures in Prometheus' form",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": 'homeroom_queue_jobs{queue="chat",state="ready"} 3.0\n'}}}},
)
async def get_metrics(services: TheServices) -> Response:
    """How this process and, by the ledger, the deployment stand. No tenant, job or worker is named."""
    return Response(await services.metrics(), media_type=CONTENT_TYPE)


class RequestMetrics:
    """How long requests took, by route. An event stream takes as long as its reader listens."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self._app = app
        self._durations = Distribution(
            "http_server_request_duration_seconds",
            "How long requests took, by the route that answered.",
            ["http_request_method", "http_route", "http_response_status_code"],
            registry=meter.registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = NOTHING_SENT

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, note)
        finally:
            method = scope["method"] if scope["method"] in METHODS else OTHER
            self._durations.of(method, route_of(scope), str(status)).add((time.perf_counter() - started,))


def route_of(scope: Scope) -> str:
    """The whole pattern of the route that answered. FastAPI notes the route without the prefixes that it stands under,
    and beside it, where the router found it, the pattern with them."""
    if (found := scope.get("fastapi", {}).get("effective_route_context")) is not None:
        return str(found.path)
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None:
        return NO_ROUTE
    address: str = scope["path"]  # of a route without parts that vary, it is the pattern
    return address if "{" not in path and address.endswith(path) else path
