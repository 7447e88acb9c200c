"""Requests by the minute, streams at a time, sizes and patience: what the edge bounds before it works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
import pytest_asyncio

from app.kit.gcra import RateLimiter
from app.kit.redis import connect, disconnect
from app.tenancy.limits import TenantLimits
from tests.support.deployment import ADMIN_KEY, TENANT, Deployment
from tests.support.waiting import eventually

ECHO = {"kind": "diagnostics.echo", "queue": "base", "input": {}}


async def live(api: httpx.AsyncClient, **limits: int) -> None:
    """Set the limits and wait until the API serves by them: it remembers a tenant's policy for a second."""
    answer = await api.put(f"/admin/tenants/{TENANT}", json={"limits": limits}, headers={"X-Admin-Key": ADMIN_KEY})
    assert answer.status_code == 200, answer.text
    wanted = str(limits.get("requests_per_minute", TenantLimits().requests_per_minute))

    async def is_live() -> bool:
        return (await api.get("/v1/kinds")).headers["RateLimit-Limit"] == wanted

    await eventually(is_live, what="the new policy")


@pytest_asyncio.fixture(loop_scope="session")
async def limiter(deployment: Deployment) -> AsyncIterator[RateLimiter]:
    redis = connect(deployment.settings().shared_redis_url)
    yield RateLimiter(redis)
    await disconnect(redis)


async def test_a_burst_of_the_whole_limit_passes_and_one_more_waits(limiter: RateLimiter) -> None:
    answers = [await limiter.take("burst", per_minute=5) for _ in range(6)]
    assert [answer.allowed for answer in answers] == [True] * 5 + [False]
    assert [answer.remaining for answer in answers] == [4, 3, 2, 1, 0, 0]
    assert 0 < answers[-1].retry_after <= 12  # one of five comes free every twelve seconds
    assert answers[-1].reset_after <= 60


async def test_a_hundred_at_once_are_counted_exactly(limiter: RateLimiter) -> None:
    answers = await asyncio.gather(*(limiter.take("crowd", per_minute=40) for _ in range(100)))
    assert sum(answer.allowed for answer in answers) == 40


async def test_keys_are_counted_apart(limiter: RateLimiter) -> None:
    assert (await limiter.take("one", per_minute=1)).allowed
    assert (await limiter.take("two", per_minute=1)).allowed
    assert not (await limiter.take("one", per_minute=1)).allowed


async def scripts_run(limiter: RateLimiter) -> int:
    stats = await limiter._script.registered_client.info("commandstats")
    return sum(each["calls"] for name, each in stats.items() if name in ("cmdstat_evalsha", "cmdstat_eval"))


async def test_a_large_limit_is_taken_in_small_change(limiter: RateLimiter) -> None:
    await limiter.take("warm", per_minute=1)  # so that the server knows the script
    before = await scripts_run(limiter)
    answers = [await limiter.take("large", per_minute=60_000) for _ in range(300)]
    assert all(answer.allowed for answer in answers)
    assert [answer.remaining for answer in answers[:3]] == [59_999, 59_998, 59_997]
    assert await scripts_run(limiter) == before + 1


async def test_the_end_of_a_large_limit_is_exact(limiter: RateLimiter) -> None:
    drained = await limiter.take("drained", per_minute=60_000, cost=59_990)
    assert drained.allowed
    answers = await asyncio.gather(*(limiter.take("drained", per_minute=60_000) for _ in range(2_000)))
    # One more comes free every millisecond; what is left is counted one by one, and nobody is refused for change.
    assert 10 <= sum(answer.allowed for answer in answers) < 2_000
    assert not (await limiter.take("drained", per_minute=60_000, cost=59_000)).allowed


async def test_every_answer_says_what_is_left(api: httpx.AsyncClient) -> None:
    first, second = (await api.get("/v1/jobs"), await api.get("/v1/jobs"))
    assert int(first.headers["RateLimit-Limit"]) == TenantLimits().requests_per_minute
    assert int(second.headers["RateLimit-Remaining"]) <= int(first.headers["RateLimit-Remaining"])
    assert int(second.headers["RateLimit-Reset"]) >= 1


async def test_beyond_the_limit_is_429_with_a_time_to_wait(api: httpx.AsyncClient) -> None:
    await live(api, requests_per_minute=3)
    try:
        answers = [await api.post("/v1/jobs", json=ECHO) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
        refused = answers[-1]
        assert refused.json()["code"] == "rate_limited"
        assert 1 <= int(refused.headers["Retry-After"]) <= 20
        assert refused.headers["RateLimit-Remaining"] == "0"
    finally:
        await live(api)
    assert (await api.get("/v1/jobs")).status_code == 200


async def test_a_key_has_a_bounded_number_of_streams(api: httpx.AsyncClient) -> None:
    await live(api, event_streams=2, requests_per_minute=5_999)
    try:
        later = ECHO | {"run_at": "2099-01-01T00:00:00Z"}
        job = (await api.post("/v1/jobs", json=later)).json()
        async with AsyncExitStack() as streams:
            for _ in range(2):
                response = await streams.enter_async_context(api.stream("GET", job["links"]["events"]))
                assert response.status_code == 200
            refused = await api.get(job["links"]["events"])
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")

        async def place_is_free() -> bool:
            async with api.stream("GET", job["links"]["events"]) as response:
                return response.status_code == 200

        await eventually(place_is_free, what="a place, once the server has noticed that a client left")
    finally:
        await live(api)


async def test_headers_as_a_whole_are_bounded(api: httpx.AsyncClient) -> None:
    headers = {f"X-Filler-{number}": "x" * 4000 for number in range(9)}
    refused = await api.get("/v1/jobs", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (431, "headers_too_large")


@pytest.mark.parametrize("path", ["/healthz", "/v1/jobs", "/nowhere", "/docs"])
async def test_every_answer_carries_the_security_headers(api: httpx.AsyncClient, path: str) -> None:
    headers = (await api.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_the_documentation_loads_from_nowhere_else(api: httpx.AsyncClient, page: str) -> None:
    document = (await api.get(page)).text
    assert "://" not in document.replace("http://www.w3.org", "")
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"):
        assert (await api.get(f"/docs/assets/{asset}")).status_code == 200
