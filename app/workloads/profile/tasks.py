"""Job functions of the profile queue."""

from __future__ import annotations

from app.engine.context import JobContext
from app.workloads.profile.service import merge


async def update(ctx: JobContext) -> None:
    """Whatever waits for this student goes into the profile."""
    await merge(ctx)
