"""Signing keys over real HTTP: how often the endpoint is asked, and what happens while it does not answer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.kit import json
from app.kit.errors import Unavailable
from app.tenancy import jwks
from app.tenancy.jwks import JwksSource
from tests.support.waiting import eventually

FIRST = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SECOND = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def entry(kid: str | None, private: rsa.RSAPrivateKey = FIRST, **more: Any) -> dict[str, Any]:
    public: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {**public, "use": "sig", **({} if kid is None else {"kid": kid}), **more}


class Endpoint:
    """A real HTTP server that publishes what the test says, and counts who asked."""

    def __init__(self) -> None:
        self.requests = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.pause = 0.0  # before each part of the body
        self.gate = threading.Event()
        self.gate.set()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"

    def publish(self, *entries: dict[str, Any]) -> None:
        self.body = [json.dumps({"keys": entries})]

    def up(self) -> None:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                endpoint.requests += 1
                endpoint.gate.wait(10)
                self.send_response(endpoint.status)
                for name, value in endpoint.headers.items():
                    self.send_header(name, value)
                try:
                    self.end_headers()
                    for part in endpoint.body:
                        time.sleep(endpoint.pause)
                        self.wfile.write(part)
                        self.wfile.flush()
                except OSError:
                    return  # the other side has heard enough

            def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the base class' name

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    server.publish(entry("one"))
    yield server
    server.gate.set()
    server.down()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source(endpoint: Endpoint, clock: Clock) -> JwksSource:
    return JwksSource(endpoint.url, clock=clock)


async def test_a_document_is_fetched_once_in_its_life(source: JwksSource, endpoint: Endpoint, clock: Clock) -> None:
    for _ in range(5):
        found = await source.find("one", "RS256")
        assert found is not None
        assert found.key == FIRST.public_key()
        clock.now += jwks.LIFE / 5 - 1
    assert endpoint.requests == 1
    clock.now += jwks.LIFE
    assert await source.find("one", "RS256")
    assert endpoint.requests == 2


async def test_those_who_come_at_once_share_one_request(source: JwksSource, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    callers = [asyncio.create_task(source.find("one", "RS256")) for _ in range(50)]

    async def asked() -> bool:
        return endpoint.requests == 1

    await eventually(asked)
    callers[0].cancel()  # the one that began it, even: the others' answer does not go with it
    endpoint.gate.set()
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(key, jwks.VerifyingKey) for key in found[1:])
    assert endpoint.requests == 1


async def test_a_flood_of_unknown_key_ids_makes_one_request_a_minute(
    source: JwksSource, endpoint: Endpoint, clock: Clock
) -> None:
    assert await source.find("one", "RS256")
    clock.now += jwks.UNKNOWN_KID
    flood = [source.find(f"unknown-{n}", "RS256") for n in range(500)]
    assert set(await asyncio.gather(*flood)) == {None}
    for n in range(100):
        clock.now += (jwks.UNKNOWN_KID - 1) / 100
        assert await source.find(f"more-{n}", "RS256") is None
    assert endpoint.requests == 2
    clock.now += 2
    assert await source.find("another", "RS256") is None
    assert endpoint.requests == 3


async def test_a_new_signing_key_is_found_and_a_withdrawn_one_is_not(
    source: JwksSource, endpoint: Endpoint, clock: Clock
) -> None:
    assert await source.find("one", "RS256")
    endpoint.publish(entry("one"), entry("two", SECOND))
    clock.now += jwks.UNKNOWN_KID
    found = await source.find("two", "RS256")
    assert found is not None
    assert found.key == SECOND.public_key()
    endpoint.publish(entry("two", SECOND))
    assert await source.find("one", "RS256")  # until the document is asked for again
    clock.now += jwks.LIFE
    assert await source.find("one", "RS256") is None
    assert await source.find("two", "RS256")
    assert endpoint.requests == 3


async def test_an_issuer_that_withdraws_all_its_keys_is_believed(
    source: JwksSource, endpoint: Endpoint, clock: Clock
) -> None:
    assert await source.find("one", "RS256")
    endpoint.publish()
    clock.now += jwks.LIFE
    assert await source.find("one", "RS256") is None


async def test_keys_serve_for_an_hour_while_the_endpoint_is_down(
    source: JwksSource, endpoint: Endpoint, clock: Clock
) -> None:
    assert await source.find("one", "RS256")
    endpoint.down()
    for _ in range(11):
        clock.now += 300
        assert await source.find("one", "RS256")
        assert await source.find("unknown", "RS256") is None
    clock.now += 300
    with pytest.raises(Unavailable):
        await source.find("one", "RS256")
    endpoint.up()
    clock.now += jwks.RETRY
    assert await source.find("one", "RS256")


async def test_while_the_endpoint_hangs_nobody_who_finds_a_key_waits(endpoint: Endpoint, clock: Clock) -> None:
    source = JwksSource(endpoint.url, clock=clock, total_timeout=1.0)
    assert await source.find("one", "RS256")
    endpoint.gate.clear()
    clock.now += jwks.LIFE
    assert await source.find("one", "RS256")  # the first to notice waits for the time-out
    clock.now += jwks.RETRY
    before = asyncio.all_tasks()
    assert await source.find("one", "RS256")
    attempts = asyncio.all_tasks() - before
    assert len(attempts) == 1  # it was answered while the next attempt is still under way
    endpoint.gate.set()
    await asyncio.wait(attempts)
    assert await source.find("one", "RS256")
    assert endpoint.requests == 3


async def test_an_endpoint_that_is_down_is_asked_every_few_seconds(
    source: JwksSource, endpoint: Endpoint, clock: Clock
) -> None:
    endpoint.status = 503
    for _ in range(20):
        with pytest.raises(Unavailable):
            await source.find("one", "RS256")
    assert endpoint.requests == 1
    endpoint.status = 200
    clock.now += jwks.RETRY
    assert await source.find("one", "RS256")


@pytest.mark.parametrize(
    "body",
    [
        [b""],
        [b"{"],
        [b"\xff"],
        [b"[]"],
        [b"{}"],
        [b'{"keys": {}}'],
        [b"[" * 60_000],
        [json.dumps({"keys": [entry("one")] * (jwks.MAX_KEYS + 1)})],
        [json.dumps({"keys": [entry("one")]}) + b" " * jwks.DOCUMENT_BYTES],
        [b" " * 1024] * 200,  # never ends as far as the reader can tell
    ],
    ids=["empty", "cut", "binary", "list", "no keys", "object", "nested", "too many", "too large", "endless"],
)
async def test_a_document_that_is_none_changes_nothing(
    source: JwksSource, endpoint: Endpoint, clock: Clock, body: list[bytes]
) -> None:
    assert await source.find("one", "RS256")
    endpoint.body = body
    clock.now += jwks.LIFE
    assert await source.find("one", "RS256")
    assert endpoint.requests == 2
    with pytest.raises(Unavailable):
        await JwksSource(endpoint.url).find("one", "RS256")


async def test_a_redirect_and_a_compressed_answer_are_not_followed_up(source: JwksSource, endpoint: Endpoint) -> None:
    endpoint.status, endpoint.headers = 302, {"Location": endpoint.url}
    with pytest.raises(Unavailable):
        await source.find("one", "RS256")
    assert endpoint.requests == 1
    endpoint.status, endpoint.headers = 200, {"Content-Encoding": "gzip"}
    with pytest.raises(Unavailable):
        await JwksSource(endpoint.url).find("one", "RS256")


async def test_an_answer_in_drops_is_cut_off_and_the_loop_runs_on_meanwhile(endpoint: Endpoint) -> None:
    endpoint.body, endpoint.pause = [b" "] * 30 + endpoint.body, 0.05  # each drop well within a time-out of its own
    source = JwksSource(endpoint.url, total_timeout=0.5)
    asking = asyncio.create_task(source.find("one", "RS256"))
    turns = 0
    while not asking.done():
        await asyncio.sleep(0.01)
        turns += 1
    with pytest.raises(Unavailable):
        await asking
    assert turns > 3
