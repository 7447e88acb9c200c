"""What the routes of administrators depend on: by whose hand, on which tenant."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from app.api.deps import Caller, Operator, RequestId
from app.tenancy.access import Principal
from app.tenancy.audit import Hand
from app.tenancy.tenants import check_id


async def get_operators_hand(request: Request, operator: Operator, request_id: RequestId) -> Hand:
    return Hand(operator, _origin(request), request_id)


async def get_admin(principal: Caller) -> Principal:
    principal.require("admin")
    return principal


Admin = Annotated[Principal, Depends(get_admin)]


async def get_admins_hand(request: Request, admin: Admin, request_id: RequestId) -> Hand:
    whose = "subject" if admin.subject is not None else "key"
    return Hand(f"{whose} {admin.key_id} of {admin.tenant_id}", _origin(request), request_id)


async def get_tenant_id(
    tenant: Annotated[str, Path(description="The tenant's id", examples=["north-school"])],
) -> str:
    check_id(tenant)
    return tenant


OperatorsHand = Annotated[Hand, Depends(get_operators_hand)]
AdminsHand = Annotated[Hand, Depends(get_admins_hand)]
TenantId = Annotated[str, Depends(get_tenant_id)]


def _origin(request: Request) -> str | None:
    """The client's address; behind a proxy, the one that uvicorn's FORWARDED_ALLOW_IPS lets the proxy name."""
    return request.client.host if request.client is not None else None
