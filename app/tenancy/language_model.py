"""The language model of a tenant's own: where it is and by which key. The key is sealed and never told again."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Database
from app.kit.errors import Refusal
from app.kit.remember import Remembered
from app.tenancy.audit import Hand, record
from app.tenancy.models import TenantModel
from app.tenancy.secrets import seal, unseal
from app.tenancy.vault import Vault

REMEMBERED_SECONDS = 5.0  # how long workers may still use what was changed
_FIELD = "language_model/key"


class InvalidModel(Refusal):
    status = 422
    code = "invalid_model"
    title = "Such a model cannot be used"
    cure = (
        "Give an https URL with a host's name, without a login or a query; operators list others in LLM_TENANT_HOSTS."
    )


class ModelNotFound(Refusal):
    status = 404
    code = "model_not_found"
    title = "The tenant has no model of its own"
    cure = "PUT /v1/llm sets one; until then the deployment's answers."


@dataclass(frozen=True, slots=True)
class OwnModel:
    """As a worker uses it."""

    tenant_id: str
    base_url: str
    model: str
    api_key: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """As it is shown."""

    base_url: str
    model: str
    has_key: bool
    updated_at: datetime


class TenantModels:
    """Set by a tenant's administrators, used by workers, remembered there for a moment."""

    def __init__(self, database: Database, vault: Vault, trusted_hosts: Collection[str] = ()) -> None:
        self._database = database
        self._vault = vault
        self._trusted_hosts = frozenset(host.casefold() for host in trusted_hosts)
        self._known: Remembered[str, OwnModel | None] = Remembered(ahead=REMEMBERED_SECONDS / 2)

    async def of(self, tenant_id: str) -> OwnModel | None:
        return await self._known.get(tenant_id, partial(self._ask, tenant_id))

    async def read(self, tenant_id: str) -> ModelRecord:
        async with self._database.session(tenant_id) as session:
            return _shown(await _find(session, tenant_id))

    async def put(
        self, tenant_id: str, *, base_url: str, model: str, api_key: str | None, keep_key: bool, by: Hand
    ) -> ModelRecord:
        """`keep_key`: the key that is there stays; it is not carried to another server, which must not learn it."""
        self.check_url(base_url)
        async with self._database.session(tenant_id) as session:
            sealed = await seal(session, self._vault, tenant_id, _FIELD, api_key.encode()) if api_key else None
            if keep_key and (known := await session.get(TenantModel, tenant_id)) is not None:
                sealed = known.sealed_key if _server(known.base_url) == _server(base_url) else None
            values = {"base_url": base_url, "model": model, "sealed_key": sealed, "updated_at": func.now()}
            put = insert(TenantModel).values(tenant_id=tenant_id, **values)
            await session.execute(put.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
            deed = by.deed("model.put", tenant_id, base_url=base_url, model=model, has_key=sealed is not None)
            await record(session, tenant_id, deed)
            session.expire_all()
            return _shown(await _find(session, tenant_id))

    async def remove(self, tenant_id: str, by: Hand) -> None:
        async with self._database.session(tenant_id) as session:
            await _find(session, tenant_id)
            await session.execute(delete(TenantModel).where(TenantModel.tenant_id == tenant_id))
            await record(session, tenant_id, by.deed("model.remove", tenant_id))

    def check_url(self, base_url: str) -> None:
        """Workers will call it from inside the deployment's network, where a tenant has no business."""
        try:
            parts = urlsplit(base_url)
            host, _ = (parts.hostname or "").casefold(), parts.port
        except ValueError:
            raise InvalidModel("The URL cannot be understood.") from None
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
            raise InvalidModel("The URL is none of a model's server.")
        if host in self._trusted_hosts:
            return
        if parts.scheme != "https" or "." not in host or host.endswith((".local", ".internal")) or _is_address(host):
            raise InvalidModel("The server is not one that tenants may name.")

    async def _ask(self, tenant_id: str) -> tuple[OwnModel | None, float]:
        async with self._database.session(tenant_id) as session:
            row = await session.get(TenantModel, tenant_id)
            if row is None:
                return None, REMEMBERED_SECONDS
            key = row.sealed_key
            if key is not None:
                key = await unseal(session, self._vault, tenant_id, _FIELD, key)
            own = OwnModel(tenant_id, row.base_url, row.model, key.decode() if key is not None else None)
            return own, REMEMBERED_SECONDS


async def _find(session: AsyncSession, tenant_id: str) -> TenantModel:
    row = await session.get(TenantModel, tenant_id)
    if row is None:
        raise ModelNotFound("The deployment's model answers.")
    return row


def _shown(row: TenantModel) -> ModelRecord:
    return ModelRecord(row.base_url, row.model, row.sealed_key is not None, row.updated_at)


def _server(base_url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(base_url)
    return parts.scheme, parts.hostname, parts.port


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdigit()  # 127.1 and the like, which resolvers read as addresses
    return True
