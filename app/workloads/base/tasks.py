"""What the base queue's workers do: by the clock, and for whoever calls a plain ARQ function."""

from __future__ import annotations

from typing import Any

from app.engine.cron import Upkeep
from app.workloads.base import service


async def expire(upkeep: Upkeep) -> None:
    """Hourly: what is past retention goes."""
    await service.remove_expired(upkeep)


async def tidy(upkeep: Upkeep) -> None:
    """Daily: what crashes left behind goes."""
    await service.tidy(upkeep)


async def audit(upkeep: Upkeep) -> None:
    """Every few minutes: a round of the auditor."""
    await service.make_auditor(upkeep).round()


async def sample_task(ctx: dict[str, Any], name: str = "world") -> str:
    """The smallest plain ARQ function there is: `await queue.base_pool.enqueue_job("sample_task", "Ada")`."""
    return f"Hello, {name}! (job {ctx['job_id']}, try {ctx['job_try']})"
