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


async def read(
    session: AsyncSession, tenant_id: str, *, before: int | None = None, action: str | None = None, limit: int = 20
) -> Sequence[AuditEntry]:
    """The tenant's entries, newest first."""
    query = select(AuditEntry).where(AuditEntry.tenant_id == tenant_id).order_by(AuditEntry.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    if action is not None:
        query = query.where(AuditEntry.action == action)
    return (await session.scalars(query)).all()


async def first_broken(session: AsyncSession, tenant_id: str) -> int | None:
    """The number of the first entry that does not follow from the ones before it; None where the chain holds.

    A chain cannot tell that its newest entries were cut off: compare the last number with one that was noted elsewhere.
    """
    broken: int | None = await session.scalar(_FIRST_BROKEN, {"tenant": tenant_id})
    return broken


async def last_number(session: AsyncSession, tenant_id: str) -> int:
    return await session.scalar(select(func.max(AuditEntry.seq)).where(AuditEntry.tenant_id == tenant_id)) or 0


_APPEND = text("select audit_append(:tenant, :actor, :action, :target, :origin, :request, cast(:detail as jsonb))")

_FIRST_BROKEN = text("""
    select min(seq) from (
        select seq, hash, row_number() over chain as expected,
               audit_hash(coalesce(lag(hash) over chain, ''::bytea), entry) as computed
        from audit_log entry where tenant_id = :tenant
        window chain as (order by seq)
    ) checked
    where hash <> computed or seq <> expected
""")
