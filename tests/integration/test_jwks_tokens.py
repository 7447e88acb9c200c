"""Tokens and signing keys together: from the issuer's endpoint to the claims."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.kit.errors import Unavailable
from app.tenancy import jwks
from app.tenancy.access import Unauthorized
from app.tenancy.jwks import JwksSource
from app.tenancy.tokens import Issuer, TokenVerifier
from tests.integration.test_jwks import FIRST, SECOND, Clock, Endpoint, entry


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    server.publish(entry("one"))
    yield server
    server.down()


async def test_a_token_is_verified_through_every_change_of_keys(endpoint: Endpoint) -> None:
    clock = Clock()
    issuer = Issuer(issuer="i", audience="homeroom", algorithms=frozenset({"RS256"}), jwks_url=endpoint.url)
    verifier = TokenVerifier([issuer], {endpoint.url: JwksSource(endpoint.url, clock=clock)})
    old, new = _token(FIRST, "one"), _token(SECOND, "two")
    assert (await verifier.verify(old)).tenant_id == "north"
    with pytest.raises(Unauthorized):
        await verifier.verify(new)
    with pytest.raises(Unauthorized):
        await verifier.verify(_token(SECOND, "one"))
    endpoint.publish(entry("two", SECOND), entry("one"))
    clock.now += jwks.UNKNOWN_KID
    assert await verifier.verify(new)
    assert await verifier.verify(old)
    endpoint.publish(entry("two", SECOND))
    clock.now += jwks.LIFE
    with pytest.raises(Unauthorized):
        await verifier.verify(old)
    endpoint.down()
    clock.now += jwks.LIFE
    assert await verifier.verify(new)
    clock.now += jwks.STALE
    with pytest.raises(Unavailable):
        await verifier.verify(new)


async def test_garbage_never_reaches_the_endpoint(endpoint: Endpoint) -> None:
    issuer = Issuer(issuer="i", audience="homeroom", algorithms=frozenset({"RS256"}), jwks_url=endpoint.url)
    verifier = TokenVerifier([issuer], {endpoint.url: JwksSource(endpoint.url)})
    secret = "x" * 64
    for text in ("a.b.c", _token(FIRST, "one", iss="other"), jwt.encode({"iss": "i"}, secret, "HS256"), "x" * 9000):
        with pytest.raises(Unauthorized):
            await verifier.verify(text)
    assert endpoint.requests == 0


async def test_a_token_cannot_say_where_its_key_is(endpoint: Endpoint) -> None:
    trap = Endpoint()
    trap.publish(entry("one", SECOND))
    issuer = Issuer(issuer="i", audience="homeroom", algorithms=frozenset({"RS256"}), jwks_url=endpoint.url)
    verifier = TokenVerifier([issuer], {endpoint.url: JwksSource(endpoint.url)})
    try:
        for pointer in ({"jku": trap.url}, {"x5u": trap.url}, {"jwk": entry("one", SECOND)}):
            with pytest.raises(Unauthorized):
                await verifier.verify(_token(SECOND, "one", headers=pointer))
    finally:
        trap.down()
    assert (trap.requests, endpoint.requests) == (0, 1)


def _token(key: rsa.RSAPrivateKey, kid: str, *, iss: str = "i", headers: dict[str, Any] | None = None) -> str:
    claims = {"iss": iss, "aud": "homeroom", "sub": "s-1", "tenant": "north", "exp": int(time.time()) + 60}
    return jwt.encode(claims, key, "RS256", {"kid": kid, **(headers or {})})
