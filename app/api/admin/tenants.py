"""/admin/tenants: the registry. Changes are live without a restart."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.admin.deps import OperatorsHand, TenantId
from app.api.deps import Services, TheServices
from app.api.pages import IdCursor, Limit, PageIdCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, edge_router
from app.tenancy.limits import TenantLimits
from app.tenancy.tenants import (
    InvalidTenant,
    TenantNotFound,
    TenantRecord,
    TenantWish,
    disable_tenant,
    get_tenant,
    list_tenants,
    put_tenant,
)

router = edge_router("tenants")

Folder = Annotated[str | None, Field(max_length=1000, examples=["/srv/homeroom/north-school"])]


class TenantRequest(BaseModel):
    """How a tenant shall be, as a whole: what is left out gets its default again."""

    model_config = ConfigDict(extra="forbid")

    data_dir: Annotated[Folder, Field(description="An absolute path for the tenant's files")] = None
    uploads_dir: Annotated[Folder, Field(description="An absolute path for what it uploads")] = None
    enabled: Annotated[bool, Field(strict=True, description="Whether its keys work")] = True
    limits: Annotated[TenantLimits, Field(description="Only those that differ from the defaults need be named")] = (
        TenantLimits()
    )

    def wish(self) -> TenantWish:
        return TenantWish(self.enabled, self.data_dir, self.uploads_dir, self.limits)


class TenantDocument(BaseModel):
    """A tenant as the registry has it. `limits` are those in force, defaults included."""

    tenant_id: Annotated[str, Field(examples=["north-school"])]
    enabled: Annotated[bool, Field(examples=[True])]
    data_dir: Folder
    uploads_dir: Folder
    limits: TenantLimits
    created_at: datetime
    updated_at: datetime
    erased_at: Annotated[datetime | None, Field(description="When all that it had was erased", examples=[None])]


class TenantPage(BaseModel):
    """By id. `next_cursor` is the way on, and null on the last page."""

    data: list[TenantDocument]
    has_more: bool
    next_cursor: str | None


@router.get(
    "/tenants",
    summary="List tenants",
    name="list_tenants",
    responses={200: {"model": TenantPage}, **refusals(InvalidCursor)},
)
async def list_registered(services: TheServices, cursor: PageIdCursor, limit: Limit = 20) -> Response:
    """Every tenant, the disabled and the erased ones too."""
    async with services.database.ledger.acquire() as connection:
        found = await list_tenants(connection, after=cursor.id if cursor is not None else "", limit=limit + 1)
    records, following = cut(found, limit, lambda record: IdCursor(record.tenant_id))
    return JsonResponse(page([tenant_document(each) for each in records], following))


@router.get(
    "/tenants/{tenant}",
    summary="Read a tenant",
    responses={200: {"model": TenantDocument}, **refusals(TenantNotFound, InvalidTenant)},
)
async def read_tenant(tenant_id: TenantId, services: TheServices) -> Response:
    async with services.database.session(tenant_id) as session:
        return JsonResponse(tenant_document(await get_tenant(session, tenant_id)))


@router.put(
    "/tenants/{tenant}",
    summary="Register or change a tenant",
    name="put_tenant",
    responses={
        200: {"model": TenantDocument, "description": "The tenant is changed."},
        201: {"model": TenantDocument, "description": "The tenant is new, and can be served at once."},
        **refusals(InvalidTenant),
    },
)
async def put_registered(
    tenant_id: TenantId, wanted: TenantRequest, services: TheServices, by: OperatorsHand
) -> Response:
    """Register the tenant or make it what the body says. Limits that are not named are the defaults."""
    async with services.database.session(tenant_id) as session:
        record, created = await put_tenant(session, tenant_id, wanted.wish(), by)
    forget(services, tenant_id)
    return JsonResponse(tenant_document(record), status_code=201 if created else 200)


@router.delete(
    "/tenants/{tenant}",
    summary="Disable a tenant",
    name="disable_tenant",
    responses={200: {"model": TenantDocument}, **refusals(TenantNotFound, InvalidTenant)},
)
async def disable_registered(tenant_id: TenantId, services: TheServices, by: OperatorsHand) -> Response:
    """Let its keys work no more; other processes heed it within 5 s. Nothing is erased, and PUT enables it again."""
    async with services.database.session(tenant_id) as session:
        record = await disable_tenant(session, tenant_id, by)
    forget(services, tenant_id)
    return JsonResponse(tenant_document(record))


def tenant_document(record: TenantRecord) -> dict[str, Any]:
    return {
        "tenant_id": record.tenant_id,
        "enabled": record.enabled,
        "data_dir": record.data_dir,
        "uploads_dir": record.uploads_dir,
        "limits": record.limits.model_dump(),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "erased_at": record.erased_at,
    }


def forget(services: Services, tenant_id: str) -> None:
    """What this process remembered of the tenant and its keys holds no more."""
    services.access.forget(tenant_id)
    services.policies.forget(tenant_id)
