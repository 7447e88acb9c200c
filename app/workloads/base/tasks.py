"""Plain ARQ functions of the base queue: `await queue.base_pool.enqueue_job("sample_task", "Ada")`."""

from __future__ import annotations

from typing import Any


async def sample_task(ctx: dict[str, Any], name: str = "world") -> str:
    """The smallest job there is: proof that plain ARQ producers and functions work here unchanged."""
    return f"Hello, {name}! (job {ctx['job_id']}, try {ctx['job_try']})"
