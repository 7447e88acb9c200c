"""What the engine asks of whoever knows the tenants. The engine knows none: core injects tenancy's answer."""

from __future__ import annotations

import math
from typing import Protocol

from app.kit.errors import Refusal
from app.kit.gcra import RateLimiter
from app.kit.logging import get_logger
from app.kit.redis import REDIS_AWAY

log = get_logger(__name__)


class TooManyJobs(Refusal):
    status = 429
    code = "too_many_jobs"
    title = "The tenant submits more jobs than it may"
    cure = "Wait as long as `Retry-After` says, or ask the operator for a higher `jobs_per_minute`."


class TenantPolicy(Protocol):
    """A tenant's share of the engine. Answers are remembered for a moment, so that every job may ask."""

    async def jobs_per_minute(self, tenant_id: str) -> int:
        """How many jobs the engine accepts from this tenant in a minute."""
        ...

    async def max_queued(self, tenant_id: str) -> int:
        """How many of its jobs may wait or run."""
        ...

    async def weight(self, tenant_id: str) -> float:
        """Its share of the workers against other tenants."""
        ...

    async def permits(self, tenant_id: str, name: str) -> int:
        """How many permits of this name it has at a time, across workers; LookupError for a name without a limit."""
        ...

    async def lane_capacity(self, tenant_id: str) -> int:
        """How many live jobs one of its lanes holds."""
        ...


class Quota:
    """Counts a tenant's jobs, whichever key and process they come by. What Redis cannot count is let through."""

    def __init__(self, policy: TenantPolicy, limiter: RateLimiter) -> None:
        self._policy = policy
        self._limiter = limiter

    async def lane_capacity(self, tenant_id: str) -> int:
        return await self._policy.lane_capacity(tenant_id)

    async def admit(self, tenant_id: str, jobs: int) -> None:
        """Take so many jobs of the tenant's minute, all or none; raises TooManyJobs."""
        rate = await self._policy.jobs_per_minute(tenant_id)
        try:
            allowance = await self._limiter.take(f"{tenant_id}:jobs", per_minute=rate, cost=jobs)
        except REDIS_AWAY as error:
            log.debug("jobs are not counted", error=str(error))
            return
        if not allowance.allowed:
            detail = f"{jobs} job(s) are more than the tenant has left of {rate} a minute."
            raise TooManyJobs(detail, retry_after=max(1, math.ceil(allowance.retry_after)))
