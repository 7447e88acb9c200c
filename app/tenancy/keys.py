"""API keys: `hr_<tenant>_<id>.<secret>`. The part before the dot says where to look, the part after it proves it.

The tenant stands in the key, so that the look-up runs under that tenant's row level security like everything else.
Only an HMAC of the secret is stored; its pepper is derived from the master key and never in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.errors import Refusal
from app.kit.tenant import TENANT_ID
from app.tenancy.audit import SYSTEM, Hand, record
from app.tenancy.models import ApiKey, Tenant
from app.tenancy.tenants import TenantNotFound

SCOPES = frozenset({"jobs:read", "jobs:write", "admin", "operator"})
TENANT_SCOPES = SCOPES - {"operator"}  # what a tenant's own `admin` may give to its keys
PREFIX = "hr"
KEY_ID = re.compile(r"[a-z0-9]{12}")

_KEY = re.compile(
    rf"{PREFIX}_(?P<tenant>{TENANT_ID.pattern})_(?P<id>{KEY_ID.pattern})\.(?P<secret>[A-Za-z0-9_-]{{43}})"
)


class InvalidKey(Refusal):
    status = 422
    code = "invalid_key"
    title = "Such a key cannot be made"
    cure = "Give one or more of the scopes that `detail` names, and a moment to come or none as `expires_at`."


class KeyNotFound(Refusal):
    status = 404
    code = "key_not_found"
    title = "There is no such key"
    cure = "List the tenant's keys: the id is the part of a key between the last `_` and the dot."


class KeyNotActive(Refusal):
    status = 409
    code = "key_not_active"
    title = "The key has ended"
    cure = "Make a new key instead: what is revoked or expired has nobody to overlap with."


class ScopeBeyondYours(Refusal):
    status = 403
    code = "scope_beyond_yours"
    title = "The key concerned has scopes that a tenant's own key cannot give or take"
    cure = "Grant jobs:read, jobs:write and admin alone, or let an operator do it under /admin/tenants/{id}/keys."


@dataclass(frozen=True, slots=True)
class KeyWish:
    """How a key shall be."""

    name: str
    scopes: frozenset[str]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key, and its text, which is shown once."""

    text: str = field(repr=False)
    key: ApiKey


@dataclass(frozen=True, slots=True)
class KeyParts:
    tenant_id: str
    key_id: str
    secret: str


def parse_key(text: str) -> KeyParts | None:
    """The parts of a well-formed key; None for anything else."""
    match = _KEY.fullmatch(text)
    return KeyParts(match["tenant"], match["id"], match["secret"]) if match else None


class Pepper:
    """Turns secrets into what is stored. Derived from the master key, so a stolen table alone is worthless.

    While the master key is rotated, secrets stored under a previous one still match; `is_current` tells which those
    are, so that they can be stored anew at their next use.
    """

    def __init__(self, master_key: str, previous: Sequence[str] = ()) -> None:
        self._keys = [_derive(each) for each in (master_key, *previous)]

    def hmac(self, secret: str) -> bytes:
        return hmac.digest(self._keys[0], secret.encode(), "sha256")

    def matches(self, secret: str, stored: bytes) -> bool:
        proofs = [hmac.compare_digest(hmac.digest(key, secret.encode(), "sha256"), stored) for key in self._keys]
        return any(proofs)  # of all of them, so that the time does not tell which key it was

    def is_current(self, secret: str, stored: bytes) -> bool:
        return hmac.compare_digest(self.hmac(secret), stored)


def _derive(master_key: str) -> bytes:
    return hashlib.blake2b(b"homeroom api keys", key=hashlib.sha256(master_key.encode()).digest()).digest()


async def issue_key(
    session: AsyncSession,
    pepper: Pepper,
    tenant_id: str,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    by: Hand = SYSTEM,
) -> str:
    """Make a key; this is the only time that its text exists."""
    made = await make_key(session, pepper, tenant_id, KeyWish(name, frozenset(scopes), expires_at), by)
    return made.text


async def make_key(session: AsyncSession, pepper: Pepper, tenant_id: str, wish: KeyWish, by: Hand) -> MadeKey:
    """Make a key and record who did; the text exists nowhere else."""
    if await session.get(Tenant, tenant_id) is None:
        raise TenantNotFound(f"{tenant_id!r} is not registered.")
    _check(wish, now=await _now(session))
    made = await _store(session, pepper, tenant_id, wish, by)
    detail = {"name": wish.name, "scopes": made.key.scopes, "expires_at": _iso(wish.expires_at)}
    await record(session, tenant_id, by.deed("key.issue", made.key.key_id, **detail))
    return made


async def rotate_key(
    session: AsyncSession, pepper: Pepper, tenant_id: str, key_id: str, *, overlap: timedelta, by: Hand
) -> MadeKey:
    """Make another key of the same name, scopes and lifetime; the old one ends after the overlap, if not before."""
    old = await _get(session, tenant_id, key_id)
    now = await _now(session)
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise KeyNotActive(f"The key {key_id} is revoked or expired.")
    lifetime = old.expires_at - old.created_at if old.expires_at is not None else None
    wish = KeyWish(old.name, frozenset(old.scopes), now + lifetime if lifetime is not None else None)
    made = await _store(session, pepper, tenant_id, wish, by)
    old.expires_at = min(old.expires_at or datetime.max.replace(tzinfo=UTC), now + overlap)
    await session.flush()
    detail = {"successor": made.key.key_id, "old_expires_at": _iso(old.expires_at)}
    await record(session, tenant_id, by.deed("key.rotate", key_id, **detail))
    return made


async def revoke_key(
    session: AsyncSession, tenant_id: str, key_id: str, by: Hand, *, within: Collection[str] = SCOPES
) -> ApiKey:
    """End a key that has no scope beyond `within`. To repeat it changes nothing, and is recorded all the same."""
    key = await _get(session, tenant_id, key_id)
    check_scopes(key.scopes, within)
    changed = key.revoked_at is None
    if changed:
        key.revoked_at = await _now(session)
        await session.flush()
    await record(session, tenant_id, by.deed("key.revoke", key_id, changed=changed))
    return key


async def list_keys(
    session: AsyncSession, tenant_id: str, *, before: str | None = None, limit: int | None = None
) -> Sequence[ApiKey]:
    """The tenant's keys, newest first and after the one named `before`; those that have ended too."""
    query = select(ApiKey).where(ApiKey.tenant_id == tenant_id)
    place = tuple_(ApiKey.created_at, ApiKey.key_id)
    if before is not None:
        last = select(ApiKey.created_at, ApiKey.key_id).where(ApiKey.tenant_id == tenant_id, ApiKey.key_id == before)
        query = query.where(place < last.scalar_subquery())
    query = query.order_by(ApiKey.created_at.desc(), ApiKey.key_id.desc()).limit(limit)
    return (await session.scalars(query)).all()


def check_scopes(wanted: Iterable[str], within: Collection[str]) -> None:
    if beyond := set(wanted) - set(within):
        raise ScopeBeyondYours(f"This needs the scope {', '.join(sorted(beyond))}.")


async def find_key(session: AsyncSession, parts: KeyParts) -> ApiKey | None:
    """The stored key, under the tenant's own row level security."""
    return await session.get(ApiKey, (parts.tenant_id, parts.key_id))


async def _get(session: AsyncSession, tenant_id: str, key_id: str) -> ApiKey:
    """The key, locked until the transaction ends: who comes at the same time sees what became of it."""
    key = None
    if KEY_ID.fullmatch(key_id) is not None:
        key = await session.scalar(
            select(ApiKey).where(ApiKey.tenant_id == tenant_id, ApiKey.key_id == key_id).with_for_update()
        )
    if key is None:
        raise KeyNotFound("This tenant has no key of this id.")
    return key


def _check(wish: KeyWish, *, now: datetime) -> None:
    if unknown := wish.scopes - SCOPES:
        raise InvalidKey(f"unknown scopes: {', '.join(sorted(unknown))}; there are {', '.join(sorted(SCOPES))}")
    if not wish.scopes:
        raise InvalidKey("A key without a scope can do nothing.")
    if wish.expires_at is not None and wish.expires_at <= now:
        raise InvalidKey("The key would have expired already: `expires_at` lies in the past.")


async def _store(session: AsyncSession, pepper: Pepper, tenant_id: str, wish: KeyWish, by: Hand) -> MadeKey:
    key_id = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    key = ApiKey(
        tenant_id=tenant_id,
        key_id=key_id,
        name=wish.name,
        secret_hmac=pepper.hmac(secret),
        scopes=sorted(wish.scopes),
        created_by=by.actor,
        expires_at=wish.expires_at,
    )
    session.add(key)
    await session.flush()
    await session.refresh(key, ["created_at"])
    return MadeKey(f"{PREFIX}_{tenant_id}_{key_id}.{secret}", key)


async def _now(session: AsyncSession) -> datetime:
    return (await session.execute(select(func.now()))).scalar_one()


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
