"""/admin/tenants/{id}/export and /erase: all that is kept of a tenant, handed out or gone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from app.api.admin.deps import OperatorsHand, TenantId
from app.api.admin.tenants import TenantDocument, forget, tenant_document
from app.api.deps import TheServices
from app.api.problems import refusals
from app.api.wire import JsonResponse, edge_router
from app.kit.failpoints import failpoint
from app.tenancy.erasure import (
    NotConfirmed,
    TenantBusy,
    TenantEnabled,
    erase_tenant,
    export_rows,
    record_export,
)
from app.tenancy.tenants import InvalidTenant, TenantNotFound

router = edge_router("tenants")

NDJSON = "application/x-ndjson"


class ErasureRequest(BaseModel):
    """An erasure has to be meant."""

    model_config = ConfigDict(extra="forbid")

    confirm: Annotated[str, Field(description="The tenant's id once more", examples=["north-school"])]


class ErasureDocument(BaseModel):
    """What is left of the tenant, and what is gone."""

    tenant: TenantDocument
    erased: Annotated[dict[str, int], Field(description="Rows by table", examples=[{"jobs": 120, "api_keys": 2}])]
    files: Annotated[int, Field(description="Files of its uploads")]


class RowStream(StreamingResponse):
    """Lines of JSON. However the response ends, its transaction has ended when it returns."""

    media_type = NDJSON

    def __init__(self, lines: AsyncGenerator[bytes, None], filename: str) -> None:
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{filename}"'}
        super().__init__(lines, headers=headers)
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._lines):
            await super().__call__(scope, receive, send)


@router.get(
    "/tenants/{tenant}/export",
    summary="Export a tenant",
    status_code=200,  # FastAPI cannot describe a response class whose own default it does not see
    response_class=RowStream,
    responses={
        200: {
            "content": {NDJSON: {"schema": {"type": "string"}, "example": '{"table": "lanes", "row": {...}}\n'}},
            "description": 'A line a row: `{"table": ..., "row": {...}}`. Secrets are left out.',
        },
        **refusals(TenantNotFound, InvalidTenant),
    },
)
async def export_tenant(tenant_id: TenantId, services: TheServices, by: OperatorsHand) -> Response:
    """All rows of the tenant as of one moment, its audit log included. The export is recorded before it begins."""
    async with services.database.session(tenant_id) as session:
        await record_export(session, tenant_id, by)
    return RowStream(export_rows(services.database, tenant_id), f"{tenant_id}.ndjson")


@router.post(
    "/tenants/{tenant}/erase",
    summary="Erase a tenant",
    name="erase_tenant",
    responses={
        200: {"model": ErasureDocument},
        **refusals(TenantNotFound, InvalidTenant, TenantEnabled, TenantBusy, NotConfirmed),
    },
)
async def erase_registered(
    tenant_id: TenantId, wanted: ErasureRequest, services: TheServices, by: OperatorsHand
) -> Response:
    """Erase every row of a disabled tenant except its registration and its audit log, for ever, in one transaction;
    then every file that it uploaded.

    Wait a minute after disabling, or erase again then: a request that was under way may have ended after the first
    time. To repeat it is safe, and finishes what a crash has cut short."""
    async with services.database.session(tenant_id) as session:
        record, erased = await erase_tenant(session, tenant_id, wanted.confirm, by)
    forget(services, tenant_id)
    failpoint("erasure.committed")
    files = await services.storage.remove_tenant(tenant_id)
    return JsonResponse({"tenant": tenant_document(record), "erased": erased, "files": files})
