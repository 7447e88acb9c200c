"""The headers that answers carry, each described once; a route names those of its own."""

from __future__ import annotations

from typing import Any

from app.api.examples import JOB_ID, REQUEST_ID

_TEXT, _COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}


def _header(description: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"description": description, "schema": schema, "example": example}


HEADERS = {
    "ETag": _header("The document's tag, for `If-None-Match`.", _TEXT, '"5d41402abc4b2a76b9719d911017c592"'),
    "Idempotency-Replayed": _header("`true` where the key stood for this earlier job.", _TEXT, "true"),
    "Location": _header("Where the job is to be read.", _TEXT, f"/v1/jobs/{JOB_ID}"),
    "Preference-Applied": _header("The wait that was granted, where one was asked for.", _TEXT, "wait=20"),
    "RateLimit-Limit": _header("Requests of this class that the key may send in a minute.", _COUNT, 600000),
    "RateLimit-Remaining": _header("How many of them are left now.", _COUNT, 5999),
    "RateLimit-Reset": _header("Seconds until all of them are there again.", _COUNT, 1),
    "Retry-After": _header("Seconds to wait before asking again.", _COUNT, 1),
    "WWW-Authenticate": _header("How to identify oneself.", _TEXT, "Bearer"),
    "X-Request-ID": _header("The request's id: the client's own where it sent one.", _TEXT, REQUEST_ID),
}


def headers(*names: str) -> dict[str, Any]:
    """The `headers` of a response that has these."""
    assert set(names) <= set(HEADERS), names
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
