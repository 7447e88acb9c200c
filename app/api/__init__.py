"""The HTTP edge: it validates, authorises, commits a row, dispatches, answers. Nothing runs here."""

from fastapi import APIRouter, FastAPI

from app.api import admin, catalogue, description, health, jobs, kinds, metrics, problems
from app.api.deps import GUARDED, TENANT_PREFIX
from app.api.express import Express
from app.api.middleware import RequestContext, RequestLimits

VERSION_PREFIX = "/v1"


def mount(app: FastAPI) -> None:
    """Put everything app-wide on the application; a workload's own routes follow by `mount_v1`."""
    problems.install(app)
    app.add_middleware(Express)  # added first, so innermost
    app.add_middleware(RequestLimits)
    app.add_middleware(RequestContext)  # added last, so outermost: whatever goes wrong inside has an id
    mount_v1(app, jobs.router)
    mount_v1(app, kinds.router)
    mount_v1(app, admin.tenant_router)
    for router in (admin.router, health.router, metrics.router, catalogue.router):
        app.include_router(router)
    description.install(app)


def mount_v1(app: FastAPI, router: APIRouter) -> None:
    """Every v1 route answers under both prefixes; the documentation shows it once."""
    app.include_router(router, prefix=VERSION_PREFIX, responses=GUARDED)
    app.include_router(router, prefix=TENANT_PREFIX + VERSION_PREFIX, include_in_schema=False)
