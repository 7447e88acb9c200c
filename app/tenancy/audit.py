"""Who did what to which id from where: an append-only log, one hash chain a tenant.

Entries are written inside the transaction of the deed, through a function that is the only way in. What concerns the
whole deployment (a queue paused) stands in a chain of its own under `PLATFORM`, a name that no tenant can have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import json
from app.kit.db import Connection
from app.tenancy.models import AuditEntry

PLATFORM = "-"


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry to be."""

    actor: str  # "key <id> of <tenant>", "admin key", "cli"
    action: str  # "<subject>.<verb>"
    target: str
    origin: str | None = None  # the address that the request came from
    request_id: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hand:
    """By whose hand deeds are done, and from where."""

    actor: str
    origin: str | None = None
    request_id: str | None = None

    def deed(self, action: str, target: str, **detail: Any) -> Deed:
        return Deed(self.actor, action, target, self.origin, self.request_id, detail)


SYSTEM = Hand("homeroom")  # nobody asked: the first start makes a tenant and its keys


async def record(session: AsyncSession, tenant_id: str, deed: Deed) -> int:
    """Write the entry with the rest of the session's transaction; returns its number in the tenant's chain."""
    values = {
        "tenant": tenant_id,
        "actor": deed.actor,
        "action": deed.action,
        "target": deed.target,
        "origin": deed.origin,
        "request": deed.request_id,
        "detail": json.text(deed.detail),
    }
    number: int = (await session.execute(_APPEND, values)).scalar_one()
    return number


async def record_for_platform(connection: Connection, deed: Deed) -> int:
    """Write the entry with the connection's transaction, the application's or the engine's, into the platform's chain.

    After a tenant's entry of the same transaction, never before it: each chain's writers wait for each other.
    """
    number: int = await connection.fetchval(
        _APPEND_FOR_PLATFORM,
        deed.actor,
        deed.action,
        deed.target,
        deed.origin,
        deed.request_id,
        json.text(deed.detail),
    )
    return number


async def read(
    session: AsyncSession, tenant_id: str, *, before: int | None = None, action: str | None = None, limit: int = 20
) -> Sequence[AuditEntry]:
    """The tenant's entries, newest first: one more than `limit`, if there are, to tell that there is another page."""
    query = select(AuditEntry).where(AuditEntry.tenant_id == tenant_id).order_by(AuditEntry.seq.desc())
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    if action is not None:
        query = query.where(AuditEntry.action == action)
    return (await session.scalars(query.limit(limit + 1))).all()


async def first_broken(session: AsyncSession, tenant_id: str) -> int | None:
    """The number of the first entry that does not follow from the ones before it; None where the chain holds.

    A chain cannot tell that its newest entries were cut off: compare the number of entries with one noted elsewhere.
    """
    broken: int | None = await session.scalar(_FIRST_BROKEN, {"tenant": tenant_id})
    return broken


async def count_entries(session: AsyncSession, tenant_id: str) -> int:
    return await session.scalar(select(func.count()).where(AuditEntry.tenant_id == tenant_id)) or 0


_APPEND = text("select audit_append(:tenant, :actor, :action, :target, :origin, :request, cast(:detail as jsonb))")

_APPEND_FOR_PLATFORM = "select audit_append_platform($1, $2, $3, $4, $5, $6::jsonb)"

_FIRST_BROKEN = text("""
    select min(seq) from (
        select seq, hash, row_number() over chain as expected,
               audit_hash(coalesce(lag(hash) over chain, ''::bytea), entry) as computed
        from audit_log entry where tenant_id = :tenant
        window chain as (order by seq)
    ) checked
    where hash <> computed or seq <> expected
""")
