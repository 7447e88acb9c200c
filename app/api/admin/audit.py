"""/admin/audit: who did what to which id from where, and whether the log still says what was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.deps import Services, TheServices
from app.api.pages import Limit, NumberCursor, PageNumberCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, Name, edge_router
from app.tenancy.audit import PLATFORM, count_entries, first_broken, read
from app.tenancy.models import AuditEntry
from app.tenancy.tenants import InvalidTenant, TenantNotFound, check_id, get_tenant

router = edge_router("audit")


class AuditDocument(BaseModel):
    """One deed."""

    tenant_id: Annotated[str, Field(description="Whose log it stands in; `-` is the deployment's own")]
    seq: Annotated[int, Field(description="Its number in that log, from 1 and without gaps")]
    at: datetime
    actor: Annotated[str, Field(examples=["admin key"])]
    action: Annotated[str, Field(examples=["key.revoke"])]
    target: Annotated[str, Field(examples=["0a1b2c3d4e5f"])]
    origin: Annotated[str | None, Field(description="The address that the request came from", examples=["192.0.2.7"])]
    request_id: str | None
    detail: Annotated[dict[str, Any], Field(examples=[{"changed": True}])]
    hash: Annotated[str, Field(description="SHA-256 over this entry and the hash before it", examples=["9f86d0"])]


class AuditPage(BaseModel):
    """Newest first. `next_cursor` is the way on, and null on the last page."""

    data: list[AuditDocument]
    has_more: bool
    next_cursor: str | None


class AuditVerdict(BaseModel):
    """Whether a log is whole. Note `entries` elsewhere: that the newest ones were cut off, only a count can tell."""

    tenant: str
    entries: int
    first_broken: Annotated[int | None, Field(description="The first entry that does not follow", examples=[None])]


async def get_log(
    tenant: Annotated[str, Query(description="A tenant's log, or `-` for the deployment's own")] = PLATFORM,
) -> str:
    if tenant != PLATFORM:
        check_id(tenant)
    return tenant


Log = Annotated[str, Depends(get_log)]


@router.get(
    "/audit",
    summary="Read an audit log",
    responses={200: {"model": AuditPage}, **refusals(InvalidCursor, InvalidTenant, TenantNotFound)},
)
async def list_audit(
    *,
    log: Log,
    services: TheServices,
    cursor: PageNumberCursor,
    action: Annotated[Name | None, Query(description="Deeds of this kind alone", examples=["key.issue"])] = None,
    limit: Limit = 20,
) -> Response:
    """The log of one tenant, or of the deployment (queues paused, tenants erased), newest first."""
    before = cursor.number if cursor is not None else None
    async with _reading(services, log) as session:
        found = await read(session, log, before=before, action=action, limit=limit)
    entries, following = cut(found, limit, lambda entry: NumberCursor(entry.seq))
    return JsonResponse(page([_document(entry) for entry in entries], following))


@router.get(
    "/audit/verify",
    summary="Verify an audit log",
    responses={200: {"model": AuditVerdict}, **refusals(InvalidTenant, TenantNotFound)},
)
async def verify_audit(log: Log, services: TheServices) -> Response:
    """Compute every hash of the log anew. `first_broken` is null where nothing was changed, dropped or slipped in."""
    async with _reading(services, log) as session:
        entries, broken = await count_entries(session, log), await first_broken(session, log)
    return JsonResponse({"tenant": log, "entries": entries, "first_broken": broken})


@asynccontextmanager
async def _reading(services: Services, log: str) -> AsyncIterator[AsyncSession]:
    async with services.database.session(log) as session:
        if log != PLATFORM:
            await get_tenant(session, log)
        yield session


def _document(entry: AuditEntry) -> dict[str, Any]:
    return {
        "tenant_id": entry.tenant_id,
        "seq": entry.seq,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "origin": entry.origin,
        "request_id": entry.request_id,
        "detail": entry.detail,
        "hash": entry.hash.hex(),
    }
