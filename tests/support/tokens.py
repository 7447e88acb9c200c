"""Tokens of people, as a school's own sign-in would issue them to a deployment that trusts it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

SECRET = "a-shared-secret-of-more-than-thirty-two-bytes"
ISSUER = {
    "issuer": "https://school.example",
    "audience": "homeroom",
    "algorithms": ["HS256"],
    "keys": {"k1": SECRET},
    "scope_claim": "scope",
}
TRUSTED = {"JWT_ISSUERS": json.dumps([ISSUER])}


def token_of(person: str, role: str | None = "student", **claims: Any) -> dict[str, str]:
    """The headers of a person with everything that a key may do."""
    body = {
        "iss": ISSUER["issuer"],
        "aud": "homeroom",
        "sub": person,
        "exp": datetime.now(UTC) + timedelta(minutes=30),
        "tenant": "demo",
        "scope": "jobs:read jobs:write",
    }
    known = {"role": role} if role is not None else {}
    return {"Authorization": f"Bearer {jwt.encode(body | known | claims, SECRET, 'HS256', headers={'kid': 'k1'})}"}
