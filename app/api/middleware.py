"""What surrounds every request, as plain ASGI: its id, a bound on its body, and a last resort for errors."""

from __future__ import annotations

import math
import re
from itertools import chain

import structlog
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem_response, unexpected
from app.api.refusals import HeadersTooLarge
from app.api.wire import headers_of
from app.kit import trace
from app.kit.gcra import Allowance
from app.kit.ids import uuid7
from app.kit.patience import within

MEGABYTE = 1024 * 1024
BODY_LIMIT = 2 * MEGABYTE
# By the end of the path, under either prefix. An upload is bounded by its tenant's limits, where it is received.
LARGER_BODIES: dict[str, float] = {"/jobs/bulk": 32 * MEGABYTE, "/uploads": math.inf}

HEADERS_LIMIT = 32 * 1024
BODY_PATIENCE = 20.0  # seconds between two parts of a body

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """Gives each request an id, the client's own where it is sane, and sees that every response and log line has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = headers_of(scope)
        given = sent.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _SANE_ID.fullmatch(given) else str(uuid7())
        scope["state"]["request_id"] = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"] = [*message.get("headers", ()), *ALWAYS]
                headers.append((b"x-request-id", request_id.encode()))
                _add_defaults(headers)
                _add_allowance(headers, scope["state"].get("allowance"))
            await send(message)

        traceparent = trace.read(sent[b"traceparent"].decode("latin-1")) if b"traceparent" in sent else None
        traced = {"trace_id": trace.trace_id(traceparent)} if traceparent is not None else {}
        tokens = structlog.contextvars.bind_contextvars(request_id=request_id, **traced)
        entered = trace.enter(traceparent)
        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if started:  # a stream broke off; the server ends the connection, which is all that can be told
                raise
            await unexpected(Request(scope), error)(scope, receive, send_with_id)
        finally:
            trace.leave(entered)
            structlog.contextvars.reset_contextvars(**tokens)


# Nothing of ours is to be sniffed or to say where it was read.
ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))

# Nor is it to be framed, run as anything but what it says, or kept; but pages set their own policy.
UNLESS_SET = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-cache",
}


def _add_defaults(headers: list[tuple[bytes, bytes]]) -> None:
    given = {name for name, _ in headers}
    headers.extend((name, value) for name, value in UNLESS_SET.items() if name not in given)


def _add_allowance(headers: list[tuple[bytes, bytes]], allowance: Allowance | None) -> None:
    if allowance is not None:
        headers += (
            (b"ratelimit-limit", b"%d" % allowance.limit),
            (b"ratelimit-remaining", b"%d" % allowance.remaining),
            (b"ratelimit-reset", b"%d" % math.ceil(allowance.reset_after)),
        )


class RequestLimits:
    """Refuses requests that are too large or too slow: headers as a whole, bodies by what they declare and by what
    really arrives, and clients that send them drop by drop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if sum(map(len, chain.from_iterable(scope["headers"]))) > HEADERS_LIMIT:
            refusal = HeadersTooLarge(f"All headers together may have {HEADERS_LIMIT} bytes.")
            await problem_response(refusal, scope["state"]["request_id"])(scope, receive, send)
            return
        limit = body_limit(scope["path"])
        declared = headers_of(scope).get(b"content-length", b"")
        arrived = int(declared) if declared.isdigit() and int(declared) > limit else 0
        complete = False

        async def receive_within_limit() -> Message:
            nonlocal arrived, complete
            # Raised where the body is read, so that it becomes a problem document like every other refusal.
            if arrived > limit:
                raise HTTPException(413, f"This route takes at most {limit} bytes.")
            try:
                # Once the body is complete, what is awaited here is the client's leaving, which may take its time.
                message = await (receive() if complete else within(BODY_PATIENCE, _once(receive)))
            except TimeoutError:
                raise HTTPException(408, f"Nothing of the body arrived for {BODY_PATIENCE:g} s.") from None
            complete = not message.get("more_body", False)
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise HTTPException(413, f"This route takes at most {limit} bytes.")
            return message

        await self._app(scope, receive_within_limit, send)


async def _once(receive: Receive) -> Message:
    """A coroutine, whatever kind of awaitable the server gives."""
    return await receive()


def body_limit(path: str) -> float:
    return next((limit for ending, limit in LARGER_BODIES.items() if path.endswith(ending)), BODY_LIMIT)
