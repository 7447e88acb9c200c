"""Real processes of a deployment, ended by their own pid however a test ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def running(
    command: Sequence[str], *, environment: Mapping[str, str], cwd: Path = ROOT, grace: float = 20.0
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is there for the block and gone after it; killed where SIGTERM does not end it in time."""
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, env=dict(environment))
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)  # a stopped process hears no SIGTERM
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            process.kill()
            await process.wait()
