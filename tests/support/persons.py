"""Tokens of persons, as a school's login issues them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jwt

SECRET = "a-secret-shared-with-the-login-of-a-school-0123456789"
ISSUER = {
    "issuer": "https://login.school.example",
    "audience": "homeroom",
    "algorithms": ["HS256"],
    "keys": {"k1": SECRET},
    "grants": ["jobs:read", "jobs:write", "admin"],
}
JWT_ISSUERS = json.dumps([ISSUER])  # what a deployment is told that believes them


def bearer(
    role: str | None, person: str, *, tenant: str = "demo", scope: str = "jobs:read jobs:write"
) -> dict[str, str]:
    """The headers of a request by this person."""
    claims = {
        "iss": ISSUER["issuer"],
        "aud": ISSUER["audience"],
        "sub": person,
        "exp": datetime.now(UTC) + timedelta(hours=1),
        "tenant": tenant,
        "scope": scope,
    }
    if role is not None:
        claims["role"] = role
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256', headers={'kid': 'k1'})}"}
