"""A deployment inside the test process: the real composition over real servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import httpx

from app.core.bootstrap import ensure_tenant
from app.core.config import Settings, load_settings
from app.core.worker.build import open_runtime
from app.engine.runtime import Runtime

MASTER_KEY = "a-master-key-for-tests-with-plenty-of-letters"
ADMIN_KEY = "an-admin-key-for-tests-with-plenty-of-letters"
TENANT = "demo"

_files = tempfile.TemporaryDirectory(prefix="homeroom-files-")  # until this process ends


@dataclass(frozen=True)
class Deployment:
    """Where the servers are, and the keys of the tenant `demo`."""

    database_url: str
    redis_url: str
    keys: Mapping[str, str]

    @property
    def files(self) -> Path:
        """Where its uploads are kept."""
        return Path(_files.name, self.database_url.rpartition("/")[2].partition("?")[0])

    def environment(self, **more: str) -> dict[str, str]:
        """The environment that a process of this deployment starts with."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "MASTER_KEY": MASTER_KEY,
            "ADMIN_KEY": ADMIN_KEY,
            "APP_ENV": "test",
            "DIAGNOSTICS": "true",
            "LOG_LEVEL": "warning",
            "STARTUP_WAIT_SECONDS": "5",
            "LEASE_SECONDS": "2",
            "HEARTBEAT_SECONDS": "0.5",
            "STORAGE_DIR": str(self.files),
        } | more

    def settings(self, **more: str) -> Settings:
        with only_environment(self.environment(**more)):
            return load_settings()

    def headers(self, key: str = "api_key") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[key]}"}


@contextmanager
def only_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Exactly these variables, besides what a process needs to run at all."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with mock.patch.dict(os.environ, {**kept, **variables}, clear=True):
        yield


def make_deployment(database_url: str, redis_url: str) -> Deployment:
    return Deployment(database_url, redis_url, ensure_tenant(database_url, MASTER_KEY, TENANT, {}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serve_api(deployment: Deployment, **environment: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API over real HTTP on loopback, and a client with the tenant's key."""
    import uvicorn  # noqa: PLC0415 - tests of the engine need no web framework

    from app.core.setup import create_app  # noqa: PLC0415

    port = free_port()
    app = create_app(deployment.settings(**environment))
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server._serve())  # `serve` would take the test runner's signals
    try:
        while not server.started:
            if serving.done():
                serving.result()
                raise AssertionError("the API did not start")
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=deployment.headers(), timeout=30.0
        ) as client:
            yield client
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await serving


@asynccontextmanager
async def serve_worker(deployment: Deployment, queue: str, **environment: str) -> AsyncIterator[Runtime]:
    """A worker of the queue in this process, ready; drained at the end."""
    async with open_runtime(queue, deployment.settings(**environment)) as runtime:
        ready = asyncio.Event()
        serving = asyncio.create_task(runtime.main(on_ready=ready.set))
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            yield runtime
        finally:
            waiting.cancel()
            runtime.drain()
            await serving
