"""/v1/keys: a tenant's own administrator manages its keys, and can give nothing that only operators have."""

from __future__ import annotations

from fastapi import Response

from app.api.admin.deps import Admin, AdminsHand
from app.api.admin.keys import key_page, made_response
from app.api.admin.schemas import KeyDocument, KeyPage, KeyRequest, NewKeyDocument, key_document
from app.api.deps import TheServices
from app.api.pages import Limit, PageIdCursor
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, edge_router
from app.tenancy.keys import (
    TENANT_SCOPES,
    InvalidKey,
    KeyNotFound,
    ScopeBeyondYours,
    check_scopes,
    make_key,
    revoke_key,
)

router = edge_router("keys")


@router.post(
    "/keys",
    status_code=201,
    summary="Make a key of one's own tenant",
    responses={201: {"model": NewKeyDocument}, **refusals(ScopeBeyondYours, InvalidKey)},
)
async def issue_own_key(wanted: KeyRequest, admin: Admin, services: TheServices, by: AdminsHand) -> Response:
    """Needs the scope `admin`, which may grant `jobs:read`, `jobs:write` and `admin`, and never `operator`."""
    check_scopes(wanted.scopes, TENANT_SCOPES)
    async with services.database.session(admin.tenant_id) as session:
        return made_response(await make_key(session, services.pepper, admin.tenant_id, wanted.wish(), by))


@router.get(
    "/keys",
    summary="List the keys of one's own tenant",
    responses={200: {"model": KeyPage}, **refusals(InvalidCursor)},
)
async def list_own_keys(admin: Admin, services: TheServices, cursor: PageIdCursor, limit: Limit = 20) -> Response:
    """Needs the scope `admin`. Newest first, the revoked and expired ones too; no secret among them."""
    return JsonResponse(await key_page(services, admin.tenant_id, cursor, limit))


@router.delete(
    "/keys/{key_id}",
    summary="Revoke a key of one's own tenant",
    responses={200: {"model": KeyDocument}, **refusals(ScopeBeyondYours, KeyNotFound)},
)
async def revoke_own_key(key_id: str, admin: Admin, services: TheServices, by: AdminsHand) -> Response:
    """Needs the scope `admin`; an operator's key is not the tenant's to revoke. To repeat it is safe."""
    async with services.database.session(admin.tenant_id) as session:
        key = await revoke_key(session, admin.tenant_id, key_id, by, within=TENANT_SCOPES)
    services.access.forget(admin.tenant_id)
    return JsonResponse(key_document(key))
