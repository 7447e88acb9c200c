"""From settings to what workloads' workers are handed."""

from __future__ import annotations

from arq.connections import ArqRedis

from app.core.config import Settings
from app.core.storage import build_storage
from app.engine.permits import PermitSets
from app.engine.turns import Turns
from app.kit.db import Database
from app.kit.metrics import Meter
from app.tenancy.language_model import TenantModels
from app.tenancy.tenants import Policies
from app.tenancy.vault import Vault
from app.workloads.supplies import Supplies


def build_supplies(settings: Settings, database: Database, shared: ArqRedis, meter: Meter) -> Supplies:
    worker, policies = settings.worker, Policies(database)
    permits = PermitSets(shared, policies, lease=worker.lease, heartbeat=worker.heartbeat)
    vault = Vault(settings.master_key, settings.security.previous_master_keys)
    return Supplies(
        database=database,
        tenant_models=TenantModels(database, vault),
        llm=settings.llm.provider(),
        llm_at=settings.llm.at,
        storage=build_storage(settings.storage, policies),
        meter=meter,
        turns=Turns(permits, heartbeat=worker.heartbeat),
    )
