"""API keys: `hr_<tenant>_<id>.<secret>`. The part before the dot says where to look, the part after it proves it.

The tenant stands in the key, so that the look-up runs under that tenant's row level security like everything else.
Only an HMAC of the secret is stored; its pepper is derived from the master key and never in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.tenant import TENANT_ID
from app.tenancy.models import ApiKey

SCOPES = frozenset({"jobs:read", "jobs:write", "admin", "operator"})
PREFIX = "hr"

_KEY = re.compile(rf"{PREFIX}_(?P<tenant>{TENANT_ID.pattern})_(?P<id>[a-z0-9]{{12}})\.(?P<secret>[A-Za-z0-9_-]{{43}})")


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
) -> str:
    """Make a key; this is the only time that its text exists."""
    wanted = sorted(scopes)
    if unknown := set(wanted) - SCOPES:
        raise ValueError(f"unknown scopes: {', '.join(sorted(unknown))}; there are {', '.join(sorted(SCOPES))}")
    key_id = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    session.add(
        ApiKey(
            tenant_id=tenant_id,
            key_id=key_id,
            name=name,
            secret_hmac=pepper.hmac(secret),
            scopes=wanted,
            expires_at=expires_at,
        )
    )
    await session.flush()
    return f"{PREFIX}_{tenant_id}_{key_id}.{secret}"


async def find_key(session: AsyncSession, parts: KeyParts) -> ApiKey | None:
    """The stored key, under the tenant's own row level security."""
    return await session.get(ApiKey, (parts.tenant_id, parts.key_id))
