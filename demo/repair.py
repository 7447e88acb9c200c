"""A school's own model refuses its key: a pupil's question fails, the teacher mends it, the question is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demo.narrator import Narrator
from demo.people import Job, School

REFUSAL = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
)
HEEDED_WITHIN = 6.0  # seconds until workers know of a tenant's other model


async def mend_a_failure(school: School, tell: Narrator) -> tuple[School, Job]:
    tell.scene("11:00  A school names a model of its own, and its key has expired.")
    async with _refusing_model() as address:
        await school.use_model(address)
        job = await school.ended(await school.say("pupil-1", "Why is the sky blue?"))
        tell.say(f"a pupil's question {job['status']}: {job['error_detail']}")
        await school.use_no_model()
        tell.say("The school goes back to the deployment's tutor; the question is retried.")
        await asyncio.sleep(HEEDED_WITHIN)
        job = await school.ended(await school.retry(job))
    tell.say(f"{job['status']} at try {job['attempt']}, under the same id.")
    return school, job


@asynccontextmanager
async def _refusing_model() -> AsyncIterator[str]:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(REFUSAL)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
