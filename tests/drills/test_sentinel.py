"""A queue on a Redis that Sentinels watch: found by their word, and healed when the primary dies."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.kit import sentinel
from app.kit.errors import ConfigurationError
from app.kit.redis import arq_settings, connect, disconnect, place, with_database
from tests.support.deployment import Deployment, serve_api, serve_worker
from tests.support.sentinels import Watch, watched_redis
from tests.support.waiting import eventually

URL = "sentinel://:pass%40word@a:26380,b/classroom/3"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watch(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watch]:
    async with watched_redis(tmp_path_factory.mktemp("sentinels")) as running:
        yield running


def test_a_url_says_who_watches_what() -> None:
    assert sentinel.parse(URL) == ((("a", 26380), ("b", 26379)), "classroom", 3, None, "pass@word")
    assert place(URL) == ("classroom@a", 26380, 3)
    assert place(with_database(URL, 4))[2] == 4
    settings = arq_settings(URL)
    assert (settings.sentinel, settings.sentinel_master, settings.database) == (True, "classroom", 3)


@pytest.mark.parametrize("url", ["sentinel://a:26379", "sentinel:///classroom/3", "sentinel://a:x/classroom/3"])
def test_a_url_that_says_less_is_refused(deployment: Deployment, url: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be understood"):
        deployment.settings(CHAT_REDIS_URL=url)


async def test_a_failover_costs_no_job(deployment: Deployment, watch: Watch) -> None:
    """The primary is killed under work: the API accepts, the worker rides it out, the queue is rebuilt."""
    environment = {"CHAT_REDIS_URL": watch.url(3)}
    body = {"kind": "diagnostics.sleep", "queue": "chat", "input": {"seconds": 0.3}}
    async with serve_api(deployment, **environment) as api, serve_worker(deployment, "chat", **environment):
        before = [(await api.post("/v1/jobs", json=body)).json() for _ in range(20)]
        watch.primary.kill()
        during = [(await api.post("/v1/jobs", json=body)).json() for _ in range(20)]

        async def all_done() -> bool:
            answers = [await api.get(job["links"]["self"]) for job in (*before, *during)]
            return all(answer.json()["status"] == "done" for answer in answers)

        await eventually(all_done, within=90, what="the end of every job")
    client = connect(watch.url(3))
    try:
        info = await client.info("server")
        assert info["tcp_port"] == watch.replica_port  # this client, too, was told the new primary
    finally:
        await disconnect(client)
