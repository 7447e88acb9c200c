"""Who is asking: from a bearer token to a principal."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from app.kit.db import Database
from app.kit.errors import Refusal
from app.tenancy.keys import KeyParts, Pepper, find_key, parse_key
from app.tenancy.models import Tenant

CACHE_SECONDS = 5.0  # how long a revoked key may still work on one API process
CACHE_SIZE = 10_000


class Unauthorized(Refusal):
    status = 401
    code = "unauthorized"
    title = "The request carries no valid key"
    cure = "Send `Authorization: Bearer <API key>` with a key that is neither expired nor revoked."


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


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a request acts, and what it may do."""

    tenant_id: str
    key_id: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope {scope}.")


class Access:
    """Checks keys against the database, remembering good ones for a few seconds."""

    def __init__(self, database: Database, pepper: Pepper, admin_key: str | None) -> None:
        self._database = database
        self._pepper = pepper
        self._admin_key = admin_key
        self._known: dict[bytes, tuple[float, Principal]] = {}

    async def authenticate(self, token: str) -> Principal:
        parts = parse_key(token)
        if parts is None:
            raise Unauthorized("The token is no API key of this deployment.")
        # Keyed by the HMAC: the cache holds no secret, and a wrong secret never finds another's entry.
        fingerprint = self._pepper.hmac(token)
        known = self._known.get(fingerprint)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        principal = await self._look_up(parts)
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[fingerprint] = (time.monotonic() + CACHE_SECONDS, principal)
        return principal

    def is_admin_key(self, given: str) -> bool:
        return self._admin_key is not None and hmac.compare_digest(given.encode(), self._admin_key.encode())

    async def _look_up(self, parts: KeyParts) -> Principal:
        async with self._database.session(parts.tenant_id) as session:
            key = await find_key(session, parts)
            tenant = await session.get(Tenant, parts.tenant_id)
        # One answer for every reason: what exists is nobody's business without the secret.
        stored = key.secret_hmac if key is not None else bytes(32)
        proven = self._pepper.matches(parts.secret, stored)
        if key is None or tenant is None or not proven or not tenant.enabled or key.revoked_at is not None:
            raise Unauthorized("The key is unknown, expired or revoked.")
        if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
            raise Unauthorized("The key is unknown, expired or revoked.")
        return Principal(parts.tenant_id, parts.key_id, frozenset(key.scopes))
