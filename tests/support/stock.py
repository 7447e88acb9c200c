"""A stock ARQ worker whose jobs write the same history: the control of the fault suite."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import arq
from arq.connections import RedisSettings

from app.kit import json
from tests.support.history import append


async def witness(ctx: dict[str, Any]) -> None:
    who = {"job_id": ctx["job_id"], "attempt": ctx["job_try"], "token": uuid4().hex, "lane": None, "pid": os.getpid()}
    for what in ("start", "end"):
        append(Path(os.environ["WITNESS_HISTORY"]), what=what, **who)
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    arq.Worker(
        [witness],
        redis_settings=RedisSettings.from_dsn(os.environ["STOCK_REDIS_URL"]),
        job_serializer=json.dumps,
        job_deserializer=json.loads,
        max_jobs=3,
        poll_delay=0.05,
    ).run()
