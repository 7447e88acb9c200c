"""JSON as the edge speaks it, in both directions: strict when it reads, moments in UTC with a `Z` when it writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import StringConstraints
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from app.kit import json

# Text that a client names things by: bounded, and without the one character that no database text can hold.
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


def encode(value: Any) -> bytes:
    return orjson.dumps(value, default=_default, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def embed(value: Any) -> Any:
    """A value that was JSON already, for use inside a document: its own depth may be all that the encoder allows."""
    return orjson.Fragment(json.dumps(value)) if isinstance(value, dict | list) else value


class JsonResponse(JSONResponse):
    """A response whose content is encoded as it stands: what we made ourselves needs no validation."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else encode(content)


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """A request's headers, the first of each name. Made once: many look, mostly for what was not sent."""
    state = scope.setdefault("state", {})
    known: dict[bytes, bytes] | None = state.get("headers")
    if known is None:
        known = state["headers"] = dict(reversed(scope["headers"]))
    return known


class StrictRequest(Request):
    """Reads bodies as RFC 8259 has them: no NaN, no lone surrogates, no number that only Python could hold."""

    async def json(self) -> Any:
        return json.loads(await self.body())

    async def body(self) -> bytes:
        """Without the generator that Starlette would read it through; most bodies are one message."""
        if not hasattr(self, "_body"):
            parts, more = [], True
            while more:
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                parts.append(message.get("body", b""))
                more = message.get("more_body", False)
            self._body = b"".join(parts)
        return self._body


class EdgeRoute(APIRoute):
    """A route whose JSON body is read strictly."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly


def edge_router(*tags: str, **options: Any) -> APIRouter:
    """A router as every part of this API has it: strict bodies, and operation ids that are the functions' names."""
    return APIRouter(
        tags=list(tags),
        route_class=EdgeRoute,
        default_response_class=JsonResponse,
        generate_unique_id_function=lambda route: route.name,
        **options,
    )


def _default(value: Any) -> Any:
    if isinstance(value, UUID):  # a subclass, as some drivers make them: orjson knows only the plain one
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
