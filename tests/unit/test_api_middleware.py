"""The request's id, the bound on its body, the last resort: around an application of three routes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request

from app.api import mount
from app.api.middleware import BODY_LIMIT, body_limit

SECRET = "select password from api_keys"


def make_client() -> httpx.AsyncClient:
    app = FastAPI()
    mount(app)

    @app.post("/echo")
    async def echo(request: Request) -> dict[str, object]:
        return {"size": len(await request.body()), "log": structlog.contextvars.get_contextvars()}

    @app.post("/typed")
    async def typed(body: dict[str, int]) -> dict[str, int]:
        return body

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(SECRET)

    @app.get("/away")
    async def away() -> None:
        raise ConnectionRefusedError(SECRET)

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize("given", ["a", "A.b_c-9", "x" * 64])
async def test_a_sane_request_id_is_kept(given: str) -> None:
    async with make_client() as client:
        answer = await client.post("/echo", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given
    assert answer.json()["log"]["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "a/b", "<script>"])
async def test_any_other_request_id_is_replaced(given: str) -> None:
    async with make_client() as client:
        answer = await client.post("/echo", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 36


async def test_an_unexpected_error_is_a_problem_with_an_id_and_without_its_text() -> None:
    async with make_client() as client:
        answer = await client.get("/broken", headers={"X-Request-ID": "r-1"})
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] == "r-1"
    assert (answer.json()["code"], answer.json()["request_id"]) == ("internal_error", "r-1")
    assert "password" not in answer.text


async def test_an_outage_is_told_apart_from_a_bug_and_says_when_to_come_back() -> None:
    async with make_client() as client:
        answer = await client.get("/away")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "password" not in answer.text


async def test_an_unknown_address_and_a_wrong_method_are_problems() -> None:
    async with make_client() as client:
        lost, wrong = await client.get("/nowhere"), await client.get("/echo")
    assert (lost.status_code, lost.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "POST"
    assert wrong.headers["Content-Type"] == "application/problem+json"


async def test_a_body_that_declares_too_much_is_refused() -> None:
    async with make_client() as client:
        fits = await client.post("/echo", content=b"x" * BODY_LIMIT)
        answer = await client.post("/typed", content=b"x" * (BODY_LIMIT + 1))
    assert fits.json()["size"] == BODY_LIMIT
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_that_declares_nothing_is_counted_as_it_arrives() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    async with make_client() as client:
        answer = await client.post("/typed", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_bulk_routes_take_more_under_either_prefix() -> None:
    assert body_limit("/v1/jobs") == BODY_LIMIT
    assert body_limit("/v1/jobs/bulk") == body_limit("/t/demo/v1/jobs/bulk") == 16 * BODY_LIMIT


async def test_problems_explain_themselves() -> None:
    async with make_client() as client:
        listed = await client.get("/problems")
        found = await client.get("/problems/body_too_large")
        page = await client.get("/problems/body_too_large", headers={"Accept": "text/html"})
        missing = await client.get("/problems/no_such_code")
    assert "body_too_large" in [each["code"] for each in listed.json()["data"]]
    assert (found.json()["status"], found.json()["example"]["code"]) == (413, "body_too_large")
    assert found.json()["cure"]
    assert page.headers["Content-Type"].startswith("text/html")
    assert found.json()["cure"] in page.text
    assert (missing.status_code, missing.json()["code"]) == (404, "problem_not_found")
