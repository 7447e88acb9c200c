"""Who is asking: from a bearer token, an API key or a JWT, to a principal."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from app.kit.db import Database
from app.kit.errors import Refusal
from app.kit.remember import Remembered
from app.tenancy.keys import KeyParts, Pepper, find_key, parse_key
from app.tenancy.models import ApiKey, Tenant

if TYPE_CHECKING:
    from app.tenancy.tokens import TokenVerifier

CACHE_SECONDS = 5.0  # how long a revoked key may still work on one API process
USE_NOTED_EVERY = timedelta(minutes=1)  # how exact `last_used_at` is: a write for every request would be too dear


class Unauthorized(Refusal):
    status = 401
    code = "unauthorized"
    title = "The request carries no valid key"
    cure = "Send `Authorization: Bearer <API key or JWT>`, one that is neither expired nor revoked."


class Forbidden(Refusal):
    status = 403
    code = "missing_scope"
    title = "The key may not do this"
    cure = "Use a key that has the scope named in `detail`."


class UnknownTenant(Refusal):
    status = 404
    code = "not_found"
    title = "There is nothing here"
    cure = "Check the address; the tenant in the path must be the key's own."


class NotYours(Refusal):
    status = 403
    code = "not_yours"
    title = "The token is another person's"
    cure = "Speak for the person that the token names: its role and its subject."


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a request acts, and what it may do."""

    tenant_id: str
    key_id: str  # the API key's id, or the subject of a JWT
    scopes: frozenset[str]
    role: str | None = None  # student or teacher, where a JWT says so
    subject: str | None = None  # the person, where a JWT says so

    def require(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope {scope}.")


class Access:
    """Checks keys and tokens, remembering good ones for a few seconds."""

    def __init__(
        self, database: Database, pepper: Pepper, admin_key: str | None, tokens: TokenVerifier | None = None
    ) -> None:
        self._database = database
        self._pepper = pepper
        self._admin_key = admin_key
        self._tokens = tokens
        self._known: Remembered[bytes, Principal] = Remembered(ahead=CACHE_SECONDS / 2)
        self._salt = os.urandom(32)  # of this process' own: its digests are nobody else's

    async def authenticate(self, token: str) -> Principal:
        # Keyed by a digest: the memory holds no secret, and a wrong secret never finds another's entry.
        digest = hashlib.blake2b(token.encode(), key=self._salt, digest_size=32).digest()
        return await self._known.get(digest, partial(self._prove, token))

    def forget(self, tenant_id: str) -> None:
        """A tenant's keys changed: this process looks them up again. Others do within `CACHE_SECONDS`."""
        self._known.forget(lambda principal: principal.tenant_id == tenant_id)

    def is_admin_key(self, given: str) -> bool:
        return self._admin_key is not None and hmac.compare_digest(given.encode(), self._admin_key.encode())

    async def _prove(self, token: str) -> tuple[Principal, float]:
        parts = parse_key(token)
        return await (self._by_key(parts) if parts is not None else self._by_token(token))

    async def _by_key(self, parts: KeyParts) -> tuple[Principal, float]:
        now = datetime.now(UTC)
        async with self._database.session(parts.tenant_id) as session:
            key = await find_key(session, parts)
            tenant = await session.get(Tenant, parts.tenant_id)
            # One answer for every reason: what exists is nobody's business without the secret.
            proven = self._pepper.matches(parts.secret, key.secret_hmac if key is not None else bytes(32))
            if key is None or tenant is None or not proven or not tenant.enabled or not _is_valid(key, now):
                raise Unauthorized("The key is unknown, expired or revoked.")
            self._note_use(key, parts, now)
            expires_at = key.expires_at
        principal = Principal(parts.tenant_id, parts.key_id, frozenset(key.scopes))
        return principal, _good_for(expires_at, now)

    async def _by_token(self, token: str) -> tuple[Principal, float]:
        if self._tokens is None:
            raise Unauthorized("The token is no API key of this deployment.")
        claims = await self._tokens.verify(token)
        async with self._database.session(claims.tenant_id) as session:
            tenant = await session.get(Tenant, claims.tenant_id)
        if tenant is None or not tenant.enabled:
            raise Unauthorized("The token names no tenant that is served here.")
        principal = Principal(claims.tenant_id, claims.subject, claims.scopes, role=claims.role, subject=claims.subject)
        return principal, _good_for(claims.expires_at, datetime.now(UTC))

    def _note_use(self, key: ApiKey, parts: KeyParts, now: datetime) -> None:
        """Within the session that read the key; a secret stored under a previous master key is stored anew."""
        if key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY:
            key.last_used_at = now
        if not self._pepper.is_current(parts.secret, key.secret_hmac):
            key.secret_hmac = self._pepper.hmac(parts.secret)


def _is_valid(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _good_for(expires_at: datetime | None, now: datetime) -> float:
    """How long a proven token may be remembered: never beyond its own end."""
    return CACHE_SECONDS if expires_at is None else min(CACHE_SECONDS, (expires_at - now).total_seconds())
