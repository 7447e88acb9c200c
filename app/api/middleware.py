"""What surrounds every request, as plain ASGI: its id, a bound on its body, and a last resort for errors."""

from __future__ import annotations

import re

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import unexpected
from app.kit.ids import uuid7

MEGABYTE = 1024 * 1024
BODY_LIMIT = 2 * MEGABYTE
LARGER_BODIES = {"/jobs/bulk": 32 * MEGABYTE}  # by the end of the path, under either prefix

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """Gives each request an id, the client's own where it is sane, and sees that every response and log line has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _SANE_ID.fullmatch(given) else str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                if started:  # a stream broke off; the server ends the connection, which is all that can be told
                    raise
                await unexpected(Request(scope), error)(scope, receive, send_with_id)


class BodyLimit:
    """Refuses bodies that are too large, by what they declare and by what really arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = body_limit(scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        arrived = int(declared) if declared.isdecimal() and int(declared) > limit else 0

        async def receive_within_limit() -> Message:
            nonlocal arrived
            # Raised where the body is read, so that it becomes a problem document like every other refusal.
            if arrived > limit:
                raise HTTPException(413, f"This route takes at most {limit} bytes.")
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise HTTPException(413, f"This route takes at most {limit} bytes.")
            return message

        await self._app(scope, receive_within_limit, send)


def body_limit(path: str) -> int:
    return next((limit for ending, limit in LARGER_BODIES.items() if path.endswith(ending)), BODY_LIMIT)
