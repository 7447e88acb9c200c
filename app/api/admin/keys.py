"""/admin/tenants/{id}/keys: operators make keys for tenants, list, rotate and revoke them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import Response

from app.api.admin.deps import OperatorsHand, TenantId
from app.api.admin.schemas import (
    KeyDocument,
    KeyPage,
    KeyRequest,
    NewKeyDocument,
    RotationRequest,
    key_document,
    new_key_document,
)
from app.api.deps import Services, TheServices
from app.api.pages import IdCursor, Limit, PageIdCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, edge_router
from app.tenancy.keys import InvalidKey, KeyNotActive, KeyNotFound, MadeKey, list_keys, make_key, revoke_key, rotate_key
from app.tenancy.tenants import InvalidTenant, TenantNotFound, get_tenant

router = edge_router("keys")


@router.post(
    "/tenants/{tenant}/keys",
    status_code=201,
    summary="Make a key",
    responses={201: {"model": NewKeyDocument}, **refusals(TenantNotFound, InvalidTenant, InvalidKey)},
)
async def issue_key(tenant_id: TenantId, wanted: KeyRequest, services: TheServices, by: OperatorsHand) -> Response:
    """Make an API key of the tenant. Its text is shown this once; only a proof of it is kept."""
    async with services.database.session(tenant_id) as session:
        made = await make_key(session, services.pepper, tenant_id, wanted.wish(), by)
    return made_response(made)


@router.get(
    "/tenants/{tenant}/keys",
    summary="List keys",
    name="list_keys",
    responses={200: {"model": KeyPage}, **refusals(TenantNotFound, InvalidTenant, InvalidCursor)},
)
async def list_tenants_keys(
    tenant_id: TenantId, services: TheServices, cursor: PageIdCursor, limit: Limit = 20
) -> Response:
    """The tenant's keys, newest first, the revoked and expired ones too; no secret among them."""
    return JsonResponse(await key_page(services, tenant_id, cursor, limit))


@router.delete(
    "/tenants/{tenant}/keys/{key_id}",
    summary="Revoke a key",
    name="revoke_key",
    responses={200: {"model": KeyDocument}, **refusals(TenantNotFound, InvalidTenant, KeyNotFound)},
)
async def revoke_tenants_key(tenant_id: TenantId, key_id: str, services: TheServices, by: OperatorsHand) -> Response:
    """Let the key work no more: at once here, within 5 s in other processes. To repeat it is safe."""
    async with services.database.session(tenant_id) as session:
        await get_tenant(session, tenant_id)
        key = await revoke_key(session, tenant_id, key_id, by)
    services.access.forget(tenant_id)
    return JsonResponse(key_document(key))


@router.post(
    "/tenants/{tenant}/keys/{key_id}/rotate",
    status_code=201,
    summary="Rotate a key",
    name="rotate_key",
    responses={
        201: {"model": NewKeyDocument},
        **refusals(TenantNotFound, InvalidTenant, KeyNotFound, KeyNotActive),
    },
)
async def rotate_tenants_key(
    tenant_id: TenantId, key_id: str, wanted: RotationRequest, services: TheServices, by: OperatorsHand
) -> Response:
    """Make a key of the same name, scopes and lifetime; the old one works beside it until the overlap has passed."""
    overlap = timedelta(seconds=wanted.overlap_seconds)
    async with services.database.session(tenant_id) as session:
        await get_tenant(session, tenant_id)
        made = await rotate_key(session, services.pepper, tenant_id, key_id, overlap=overlap, by=by)
    services.access.forget(tenant_id)
    return made_response(made)


async def key_page(services: Services, tenant_id: str, cursor: IdCursor | None, limit: int) -> dict[str, Any]:
    async with services.database.session(tenant_id) as session:
        await get_tenant(session, tenant_id)
        before = cursor.id if cursor is not None else None
        found = await list_keys(session, tenant_id, before=before, limit=limit + 1)
    keys, following = cut(found, limit, lambda key: IdCursor(key.key_id))
    return page([key_document(key) for key in keys], following)


def made_response(made: MadeKey) -> Response:
    """A secret that is shown once is kept by nobody on its way."""
    return JsonResponse(new_key_document(made), status_code=201, headers={"Cache-Control": "no-store"})
