"""What core hands to every workload's worker, and the models that workloads share: each opens its tools from these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.engine.turns import Turns
from app.kit.db import Database
from app.kit.metrics import Meter
from app.llm.config import ProviderConfig
from app.llm.metering import ModelMetrics
from app.llm.port import Provider
from app.llm.providers import Providers
from app.storage.port import Storage
from app.tenancy.language_model import TenantModels


@dataclass(frozen=True, slots=True)
class Supplies:
    database: Database
    tenant_models: TenantModels
    llm: ProviderConfig | None  # the deployment's own; None: the local provider answers
    llm_at: Callable[[str, str, str | None], ProviderConfig]  # a tenant's: base URL, model, key
    storage: Storage
    meter: Meter  # of this process
    turns: Turns  # permits for a part of a job


class Models:
    """Lends the model that a tenant is answered by: its own, else the deployment's, else the local one."""

    def __init__(self, supplies: Supplies) -> None:
        self._supplies = supplies
        self._providers = Providers()
        self._metrics = ModelMetrics(supplies.meter)

    @asynccontextmanager
    async def lend(self, tenant_id: str) -> AsyncIterator[Provider]:
        async with self._providers.lend(await self._config(tenant_id)) as provider:
            yield self._metrics.metered(provider)

    async def warm(self) -> None:
        """Load what the deployment's own model needs: a worker that says it is ready answers at once."""
        async with self._providers.lend(self._supplies.llm):
            pass

    async def close(self) -> None:
        await self._providers.close()

    async def _config(self, tenant_id: str) -> ProviderConfig | None:
        own = await self._supplies.tenant_models.of(tenant_id)
        if own is None:
            return self._supplies.llm
        return self._supplies.llm_at(own.base_url, own.model, own.api_key)
