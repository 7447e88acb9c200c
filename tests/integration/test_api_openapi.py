"""The API's description of itself: complete, stable, and true of the routes that there are."""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson
import pytest_asyncio

CREATED = {"submit_job", "submit_jobs", "cancel_job", "retry_job", "read_job", "list_jobs", "list_attempts"}
OPERATORS = {"list_queues", "pause_queue", "resume_queue", "list_worker_processes"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def described(api: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await api.get("/openapi.json")).json()
    return document


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = [operation for path in described["paths"].values() for operation in path.values()]
    by_id = {operation["operationId"]: operation for operation in found}
    assert len(by_id) == len(found)
    return by_id


def test_operation_ids_are_stable_and_each_operation_is_described(described: dict[str, Any]) -> None:
    found = operations(described)
    assert CREATED | OPERATORS | {"stream_events", "list_kinds", "healthz", "readyz"} <= set(found)
    for operation_id, operation in found.items():
        assert operation["summary"], operation_id
        assert operation["tags"], operation_id


def test_the_tenants_prefix_is_not_shown_twice(described: dict[str, Any]) -> None:
    assert not [path for path in described["paths"] if path.startswith("/t/")]


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    named = re.findall(rb'"#/components/schemas/([^"]+)"', orjson.dumps(described))
    assert {name.decode() for name in named} <= set(schemas)
    assert "HTTPValidationError" not in schemas  # every error is a problem document


def test_errors_are_documented_as_problems(described: dict[str, Any]) -> None:
    responses = operations(described)["submit_job"]["responses"]
    for status in ("400", "401", "403", "409", "413", "415", "422", "429", "503"):
        assert list(responses[status]["content"]) == ["application/problem+json"]
    assert "lane_full" in responses["429"]["description"]


def test_the_submit_body_has_examples_and_both_ways_to_identify_oneself_are_named(described: dict[str, Any]) -> None:
    assert described["components"]["schemas"]["JobSubmission"]["examples"]
    assert set(described["components"]["securitySchemes"]) == {"HTTPBearer", "APIKeyHeader"}


async def test_every_problem_type_can_be_read(api: httpx.AsyncClient) -> None:
    codes = [each["code"] for each in (await api.get("/problems")).json()["data"]]
    assert {"lane_full", "job_not_found", "idempotency_conflict", "invalid_request", "not_found"} <= set(codes)
    for code in codes:
        assert (await api.get(f"/problems/{code}")).status_code == 200
