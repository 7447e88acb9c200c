"""The composition of the API: what is opened, in which order, and closed in reverse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from arq.connections import ArqRedis
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from pydantic import TypeAdapter

from app import __version__
from app.api import mount, mount_v1
from app.api.deps import Services
from app.api.metrics import RequestMetrics
from app.console import mount_console
from app.core import queue
from app.core.config import Settings, load_settings
from app.core.docs import mount_docs
from app.core.exit import exit_when_misconfigured
from app.core.preflight import check_redis, open_database
from app.core.readiness import readiness
from app.core.storage import build_storage
from app.engine.backlog import Backlog
from app.engine.diagnostics import KINDS
from app.engine.events import EventBell, EventLog
from app.engine.figures import Figures
from app.engine.policy import Quota
from app.engine.submit import Submitter
from app.engine.workload import Registry, resolve
from app.kit.errors import ConfigurationError
from app.kit.gcra import RateLimiter
from app.kit.heap import settle_heap
from app.kit.logging import configure_logging
from app.kit.metrics import Meter
from app.kit.redis import connect, disconnect
from app.tenancy.access import Access
from app.tenancy.jwks import JwksSource
from app.tenancy.keys import Pepper
from app.tenancy.language_model import TenantModels
from app.tenancy.tenants import Policies
from app.tenancy.throttle import Throttle
from app.tenancy.tokens import Issuer, TokenVerifier
from app.tenancy.vault import Vault
from app.workloads import WORKLOADS

REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "Traceparent",
    "X-Admin-Key",
    "X-Request-ID",
)
RESPONSE_HEADERS = (
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
)


def create_app(settings: Settings | None = None, *, end_process: bool = False) -> FastAPI:
    """The application. `end_process`: a start that cannot succeed ends the process instead of raising."""
    settings = settings or load_settings()
    configure_logging(level=settings.app.log_level, json_lines=settings.app.json_logs)
    app = FastAPI(
        title="Homeroom",
        version=__version__,
        description="A multi-tenant job backend for AI classrooms.",
        docs_url=None,
        redoc_url=None,
        # Spans are not exported yet; to find that out anew at every request costs as much as to validate its body.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=partial(_lifespan, settings=settings, end_process=end_process),
    )
    app.state.meter = Meter(__version__)
    mount(app)
    app.add_middleware(RequestMetrics, meter=app.state.meter)
    mount_docs(app)
    mount_console(app)
    for workload in WORKLOADS:
        if workload.routes is not None:
            mount_v1(app, resolve(workload.routes))
    _allow_origins(app, settings)
    return app


def _allow_origins(app: FastAPI, settings: Settings) -> None:
    """Let pages of these origins call us. Added last, so outermost: a browser must be able to read errors too."""
    if not settings.api.cors_origins:
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.api.cors_origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=[*REQUEST_HEADERS],
        expose_headers=[*RESPONSE_HEADERS],
        max_age=600,
    )


def build_registry(settings: Settings) -> Registry:
    """Every kind of this deployment; diagnostics only where they are switched on."""
    return Registry(
        WORKLOADS,
        shared_kinds=KINDS if settings.app.diagnostics else (),
        debounce_ms={"chat.reply": settings.chat.lane_debounce_ms},
    )


@asynccontextmanager
async def _lifespan(app: FastAPI, *, settings: Settings, end_process: bool) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        if end_process:
            with exit_when_misconfigured(at_once=True):
                services = await _open(settings, app.state.meter, stack)
        else:
            services = await _open(settings, app.state.meter, stack)
        app.state.services = services
        if end_process:  # the process is this application's
            settle_heap()
        yield


async def _open(settings: Settings, meter: Meter, stack: AsyncExitStack) -> Services:
    database = await open_database(settings, "homeroom api")
    stack.push_async_callback(database.close)
    urls = [settings.shared_redis_url, *(each.redis_url for each in settings.queues.values())]
    await check_redis(urls, settings.app.startup_wait)
    shared = await _open_pools(settings, stack)
    events, bell = EventLog(shared), EventBell(shared)
    await stack.enter_async_context(bell.ringing())
    limiter, policies = RateLimiter(shared), Policies(database, lane_capacity=settings.chat.lane_max_queue)
    submitter = Submitter(
        database,
        queue.get,
        quota=Quota(policies, limiter),
        backlog=Backlog(policies, database),
        weigh=policies.weight,
    )
    stack.push_async_callback(submitter.drain)
    pepper = Pepper(settings.master_key, settings.security.previous_master_keys)
    pools = {"shared": shared} | {name: queue.get(name) for name in settings.queues}
    is_ready = partial(readiness, database, pools)
    figures = Figures(database, list(settings.queues), is_ready)
    meter.registry.register(figures)
    stack.callback(meter.registry.unregister, figures)
    return Services(
        database=database,
        registry=build_registry(settings),
        submitter=submitter,
        events=events,
        bell=bell,
        access=Access(database, pepper, settings.security.admin_key, _build_verifier(settings)),
        pepper=pepper,
        policies=policies,
        models=TenantModels(database, _build_vault(settings), settings.llm.tenant_hosts),
        throttle=Throttle(limiter),
        storage=build_storage(settings.storage, policies),
        readiness=is_ready,
        metrics=partial(_render, meter, figures),
    )


async def _render(meter: Meter, figures: Figures) -> bytes:
    await figures.refresh()
    return meter.render()


def _build_vault(settings: Settings) -> Vault:
    return Vault(settings.master_key, settings.security.previous_master_keys)


def _build_verifier(settings: Settings) -> TokenVerifier | None:
    if not settings.security.jwt_issuers:
        return None
    try:
        issuers = TypeAdapter(list[Issuer]).validate_python(settings.security.jwt_issuers)
        sources = {each.jwks_url: JwksSource(each.jwks_url) for each in issuers if each.jwks_url is not None}
        return TokenVerifier(issuers, sources)
    except ValueError as error:
        raise ConfigurationError(f"JWT_ISSUERS: {error}", cure="Correct the list; .env.example has a form.") from None


async def _open_pools(settings: Settings, stack: AsyncExitStack) -> ArqRedis:
    """Fill the placeholders, and return the client of the shared database."""
    for name, where in settings.queues.items():
        pool = connect(where.redis_url)
        stack.push_async_callback(disconnect, pool)
        queue.put(name, pool)
        stack.callback(queue.put, name, None)
    shared = connect(settings.shared_redis_url, max_connections=100)
    stack.push_async_callback(disconnect, shared)
    return shared
