"""What routes depend on: the process' services, who is asking, and on whose behalf."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from app.api.problems import NOTHING_HERE, refusals
from app.api.refusals import InternalError, InvalidRequest, OutOfService
from app.api.wire import headers_of
from app.engine.events import EventBell, EventLog
from app.engine.submit import Submitter
from app.engine.workload import Registry
from app.kit.db import Database
from app.storage.port import Storage
from app.tenancy.access import Access, Forbidden, Principal, Unauthorized, UnknownTenant
from app.tenancy.keys import Pepper
from app.tenancy.language_model import TenantModels
from app.tenancy.tenants import Policies
from app.tenancy.throttle import Throttle, TooManyRequests

TENANT_PREFIX = "/t/{tenant_id}"


@dataclass(frozen=True, slots=True)
class Services:
    """What the lifespan opened and routes work with."""

    database: Database
    registry: Registry
    submitter: Submitter
    events: EventLog
    bell: EventBell
    access: Access
    pepper: Pepper
    policies: Policies
    models: TenantModels
    throttle: Throttle
    storage: Storage
    readiness: Callable[[], Awaitable[dict[str, Any]]]
    metrics: Callable[[], Awaitable[bytes]]
    # One bulk is read at a time: read side by side, all would reach Postgres together, and the process would wait.
    bulk_turn: asyncio.Lock = field(default_factory=asyncio.Lock)


async def get_services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def get_request_id(request: Request) -> str:
    request_id: str = request.state.request_id
    return request_id


async def get_base(request: Request) -> str:
    """The prefix that this request came by, for the links in what it is answered."""
    tenant_id = request.path_params.get("tenant_id")
    prefix = "" if tenant_id is None else TENANT_PREFIX.format(tenant_id=tenant_id)
    return f"{request.scope.get('root_path', '')}{prefix}/v1"


TheServices = Annotated[Services, Depends(get_services)]
RequestId = Annotated[str, Depends(get_request_id)]
Base = Annotated[str, Depends(get_base)]


class Bearer(HTTPBearer):
    """The token itself; None where there is none."""

    async def __call__(self, request: Request) -> str | None:  # type: ignore[override]
        scheme, _, token = headers_of(request.scope).get(b"authorization", b"").decode("latin-1").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None


_bearer = Bearer(scheme_name="HTTPBearer", auto_error=False, description="An API key; it names the tenant.")
_admin_key = APIKeyHeader(name="X-Admin-Key", auto_error=False, description="The operators' key.")

# How every route that asks who is asking may answer, whatever else it does.
GUARDED = refusals(Unauthorized, Forbidden, InvalidRequest, TooManyRequests, InternalError, OutOfService)

Token = Annotated[str | None, Depends(_bearer)]


async def authenticate(request: Request, services: TheServices, token: Token) -> Principal:
    """The key's principal; under /t/{tenant_id} only where the key is that tenant's."""
    principal = await _principal(services, token)
    if request.path_params.get("tenant_id", principal.tenant_id) != principal.tenant_id:
        raise UnknownTenant(NOTHING_HERE)  # whether that tenant exists is not told
    structlog.contextvars.bind_contextvars(tenant_id=principal.tenant_id)
    await _count(request, services, principal)
    return principal


async def _count(request: Request, services: Services, principal: Principal) -> None:
    """Take one of the key's requests; what is left of them goes out with the response, whatever that is."""
    limits = (await services.policies.of(principal.tenant_id)).limits
    route_class = "read" if request.method in ("GET", "HEAD") else "write"
    allowance = await services.throttle.take(principal, route_class, per_minute=limits.requests_per_minute)
    if allowance is not None:
        request.state.allowance = allowance
        services.throttle.heed(allowance)


Caller = Annotated[Principal, Depends(authenticate)]


def require(scope: str) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency on a principal that has the scope."""

    async def check(principal: Caller) -> Principal:
        principal.require(scope)
        return principal

    return check


Reader = Annotated[Principal, Depends(require("jobs:read"))]
Writer = Annotated[Principal, Depends(require("jobs:write"))]


async def get_operator(
    services: TheServices, token: Token, admin_key: Annotated[str | None, Depends(_admin_key)]
) -> str:
    """Who operates: the holder of the admin key, or a key with the scope `operator`."""
    if admin_key is not None:
        if not services.access.is_admin_key(admin_key):
            raise Unauthorized("X-Admin-Key is not the key of this deployment.")
        return "admin key"
    principal = await _principal(services, token)
    principal.require("operator")
    return f"key {principal.key_id} of {principal.tenant_id}"


Operator = Annotated[str, Depends(get_operator)]


async def _principal(services: Services, token: str | None) -> Principal:
    if token is None:
        raise Unauthorized("The request has no `Authorization: Bearer` header.")
    return await services.access.authenticate(token)
