"""Which tenant the running code serves. There is no default tenant: asking without one is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from app.kit.errors import HomeroomError

TENANT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_current: ContextVar[str | None] = ContextVar("tenant", default=None)


class NoTenant(HomeroomError):
    """Tenant-bound code ran outside a tenant. Wrap it in `tenant_scope(tenant_id)`."""


@contextmanager
def tenant_scope(tenant_id: str) -> Iterator[str]:
    """Bind the tenant for everything inside, tasks started there included."""
    token = _current.set(tenant_id)
    try:
        yield tenant_id
    finally:
        _current.reset(token)


def enter_tenant(tenant_id: str) -> None:
    """Bind the tenant for the rest of this task, and of the tasks that it starts: for a task that serves one tenant."""
    _current.set(tenant_id)


def current_tenant() -> str:
    tenant_id = _current.get()
    if tenant_id is None:
        raise NoTenant("No tenant is bound here. Cure: run this inside `tenant_scope(tenant_id)`.")
    return tenant_id
