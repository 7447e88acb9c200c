"""Routes with a fixed path go a short way; under the tenant's prefix the same routes go through FastAPI's own router.
Both give the same answer to the same request, whatever is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from app.api.express import find_plans
from app.core.setup import create_app
from app.kit.ids import uuid7
from tests.support.deployment import Deployment

ECHO: dict[str, Any] = {"kind": "diagnostics.echo", "queue": "exam", "input": {"hello": "world"}}
JSON = {"Content-Type": "application/json"}

CHANGING = {"job_id", "request_id", "created_at", "updated_at", "links"}


def lasting(value: Any) -> Any:
    """A document without what differs between any two requests."""
    if isinstance(value, dict):
        return {name: lasting(each) for name, each in value.items() if name not in CHANGING}
    return [lasting(each) for each in value] if isinstance(value, list) else value


async def both(api: httpx.AsyncClient, method: str, path: str, **request: Any) -> list[httpx.Response]:
    return [await api.request(method, prefix + path, **request) for prefix in ("/v1", "/t/demo/v1")]


def test_the_routes_that_carry_the_load_go_the_short_way(deployment: Deployment) -> None:
    plans = find_plans(create_app(deployment.settings()))
    assert {("POST", "/v1/jobs"), ("POST", "/v1/jobs/bulk"), ("GET", "/v1/jobs")} <= plans.keys()


@pytest.mark.parametrize(
    "request_",
    [
        {"json": ECHO},
        {"json": ECHO, "headers": {"Idempotency-Key": ""}},
        {"json": ECHO, "headers": {"Idempotency-Key": "x" * 256}},
        {"json": ECHO | {"priority": "high", "colour": "red"}},
        {"json": ECHO | {"run_at": 5}},
        {"json": {"kind": "no.such"}},
        {"json": []},
        {"json": None},
        {"content": b""},
        {"content": b"", "headers": JSON},
        {"content": b"{", "headers": JSON},
        {"content": b'{"kind": NaN}', "headers": JSON},
        {"content": json.dumps(ECHO).encode(), "headers": {"Content-Type": "text/plain"}},
        {"content": json.dumps(ECHO).encode(), "headers": {"Content-Type": "application/json; charset=utf-8"}},
        {"content": json.dumps(ECHO).encode(), "headers": {"Content-Type": "application/vnd.us+json"}},
        {"content": json.dumps(ECHO).encode()},
        {"content": b"x" * 3_000_000, "headers": JSON},
        {"json": ECHO, "headers": {"Authorization": "Basic abc"}},
        {"json": ECHO, "headers": {"Authorization": "Bearer nothing"}},
        {"content": b"{", "headers": JSON | {"Authorization": "Bearer nothing"}},
        {"json": ECHO, "headers": {"Prefer": "wait=1"}},
    ],
    ids=str,
)
async def test_a_submit_is_answered_alike(api: httpx.AsyncClient, request_: dict[str, Any]) -> None:
    short, long = await both(api, "POST", "/jobs", **request_)
    assert short.status_code == long.status_code
    assert lasting(short.json()) == lasting(long.json())
    assert short.headers.keys() == long.headers.keys()


@pytest.mark.parametrize(
    "query", ["", "?limit=2", "?limit=0", "?limit=x&cursor=y", "?status=done&status=failed", "?created_after=x"]
)
async def test_a_list_is_answered_alike(api: httpx.AsyncClient, query: str) -> None:
    short, long = await both(api, "GET", f"/jobs{query}")
    assert short.status_code == long.status_code
    assert lasting(short.json()) == lasting(long.json())


async def test_a_method_that_no_route_takes_is_refused_alike(api: httpx.AsyncClient) -> None:
    short, long = await both(api, "DELETE", "/jobs")
    assert (short.status_code, short.headers["Allow"]) == (long.status_code, long.headers["Allow"])


async def test_a_key_means_the_same_job_on_both_ways(api: httpx.AsyncClient) -> None:
    short, long = await both(api, "POST", "/jobs", json=ECHO, headers={"Idempotency-Key": str(uuid7())})
    assert short.json()["job_id"] == long.json()["job_id"]
    assert "Idempotency-Replayed" not in short.headers
    assert long.headers["Idempotency-Replayed"] == "true"
