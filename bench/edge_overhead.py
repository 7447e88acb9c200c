"""What auth and limits cost a submit: the same route with them and without them, in turns, in one run.

    python bench/edge_overhead.py [--rounds 7] [--jobs 2000] [--clients 50]

The application is called in this process (ASGI, no sockets), so that the difference is the edge's and not a client's.
Both ways commit every job to a real Postgres and hint it to a real Redis. Prints medians, spread and the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from app.core.bootstrap import ensure_tenant
from app.core.embedded import EmbeddedPostgres, EmbeddedRedis
from app.core.migrate import migrate
from app.tenancy.access import Principal
from app.tenancy.limits import TenantLimits

BODY = b'{"kind":"diagnostics.echo","queue":"chat","input":{"hello":"world"}}'
MASTER_KEY = "a-master-key-for-benchmarks-with-plenty-of-letters"


class Submits:
    """Calls POST /v1/jobs as a server would, without a socket."""

    def __init__(self, app: Any, key: str) -> None:
        self._app = app
        self._headers = [
            (b"authorization", f"Bearer {key}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(BODY)).encode()),
        ]

    async def one(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/jobs",
            "raw_path": b"/v1/jobs",
            "query_string": b"",
            "headers": self._headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        sent: list[dict[str, Any]] = []
        bodies = iter([{"type": "http.request", "body": BODY, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(bodies, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        if sent[0]["status"] != HTTPStatus.ACCEPTED:
            raise SystemExit(f"a submit was answered {sent[0]['status']}: {sent[-1].get('body')!r}")

    async def many(self, jobs: int, clients: int) -> float:
        """Seconds for so many jobs by so many clients at once."""

        async def client(count: int) -> None:
            for _ in range(count):
                await self.one()

        started = time.perf_counter()
        await asyncio.gather(*(client(jobs // clients) for _ in range(clients)))
        return time.perf_counter() - started


class OpenDoor:
    """Stands where access, policies and limits stand, and asks nothing."""

    limits = TenantLimits()

    async def authenticate(self, _token: str) -> Principal:
        return Principal("demo", "bench", frozenset({"jobs:read", "jobs:write"}))

    async def of(self, _tenant_id: str) -> OpenDoor:
        return self

    async def take(self, *_: object, **__: object) -> None:
        return None


async def measure(rounds: int, jobs: int, clients: int, keys: dict[str, str]) -> None:
    from app.core.setup import create_app  # noqa: PLC0415 - reads the environment that main() sets

    app = create_app()
    submits = Submits(app, keys["api_key"])
    seconds: dict[str, list[float]] = {"guarded": [], "bare": []}
    async with app.router.lifespan_context(app):
        guarded = app.state.services
        ways = {
            "guarded": guarded,
            "bare": replace(guarded, access=OpenDoor(), policies=OpenDoor(), throttle=OpenDoor()),
        }
        await submits.many(jobs, clients)  # warm up
        for _ in range(rounds):
            for way, times in seconds.items():
                app.state.services = ways[way]
                times.append(await submits.many(jobs, clients))
    for way, times in seconds.items():
        rates = sorted(jobs / each for each in times)
        median = statistics.median(rates)
        print(f"{way:<8} {rates[0]:>7.0f} / {median:>7.0f} / {rates[-1]:>7.0f} submits/s (min/median/max)")
    ratio = statistics.median(g / b for g, b in zip(seconds["guarded"], seconds["bare"], strict=True))
    print(f"auth and limits take {100 * (ratio - 1):.1f} % of the bare route's time (median of {rounds} pairs)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        postgres, redis = EmbeddedPostgres(Path(folder) / "postgres"), EmbeddedRedis(Path(folder) / "redis")
        try:
            postgres.start()
            redis.start()
            postgres.create_database("homeroom")
            url = postgres.url("homeroom")
            migrate(url)
            keys = ensure_tenant(url, MASTER_KEY, "demo", {})
            os.environ |= {
                "DATABASE_URL": url,
                "REDIS_URL": redis.url(0),
                "MASTER_KEY": MASTER_KEY,
                "DIAGNOSTICS": "true",
                "LOG_LEVEL": "warning",
            }
            with_room = "update tenants set limits = '{\"requests_per_minute\": 100000000}'"
            asyncio.run(_execute(url, with_room))
            asyncio.run(measure(options.rounds, options.jobs, options.clients, keys))
        finally:
            postgres.stop()
            redis.stop()


async def _execute(url: str, statement: str) -> None:
    import asyncpg  # noqa: PLC0415

    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


if __name__ == "__main__":
    main()
