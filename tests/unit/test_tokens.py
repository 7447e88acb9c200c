"""Tokens that must pass, and everything that must not: with real keys and real signatures."""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from app.tenancy.access import Unauthorized
from app.tenancy.tokens import TOKEN_BYTES, Claims, Issuer, TokenVerifier

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
SECRET = "a shared secret of sixty-four characters, which no dictionary has"


def pem(private: Any) -> str:
    text: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


SCHOOL = Issuer(
    issuer="https://id.school.example",
    audience="homeroom",
    algorithms=frozenset({"RS256"}),
    keys={"one": pem(PRIVATE)},
    leeway=10,
)
SYSTEM = Issuer(
    issuer="https://system.example", audience="homeroom", algorithms=frozenset({"HS256"}), keys={"shared": SECRET}
)
VERIFIER = TokenVerifier([SCHOOL, SYSTEM], {})


def payload(**changes: Any) -> dict[str, Any]:
    """The claims of a good token with some changed; None takes one away."""
    claims = {
        "iss": SCHOOL.issuer,
        "aud": "homeroom",
        "sub": "s-1",
        "exp": int(time.time()) + 60,
        "tenant": "north",
        "role": "student",
        "scope": "openid jobs:read jobs:write",
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def token(key: Any = PRIVATE, algorithm: str = "RS256", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    return jwt.encode(payload(**changes), key, algorithm, {"kid": "one"} if headers is None else headers)


def forged(header: dict[str, Any], claims: dict[str, Any], key: bytes | None) -> str:
    """A token that no library would sign."""
    head, body = (_base64(json.dumps(part).encode()) for part in (header, claims))
    signature = b"" if key is None else hmac.digest(key, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{_base64(signature)}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def refused(text: str, verifier: TokenVerifier = VERIFIER) -> None:
    with pytest.raises(Unauthorized) as caught:
        await verifier.verify(text)
    assert caught.value.detail == "The token is not valid here, or no longer."
    assert caught.value.__cause__ is None


async def test_a_good_token_says_who_asks_for_whom() -> None:
    until = int(time.time()) + 60
    assert await VERIFIER.verify(token(exp=until)) == Claims(
        issuer=SCHOOL.issuer,
        tenant_id="north",
        subject="s-1",
        role="student",
        scopes=frozenset({"jobs:read", "jobs:write"}),
        expires_at=datetime.fromtimestamp(until, UTC),
    )


@pytest.mark.parametrize(
    ("private", "algorithm"),
    [(PRIVATE, "RS512"), (PRIVATE, "PS256"), (CURVE, "ES256"), (EDWARDS, "EdDSA")],
    ids=["RS512", "PS256", "ES256", "EdDSA"],
)
async def test_each_family_of_public_keys_verifies(private: Any, algorithm: str) -> None:
    verifier = TokenVerifier([replace(SCHOOL, algorithms=frozenset({algorithm}), keys={"one": pem(private)})], {})
    assert (await verifier.verify(token(private, algorithm))).subject == "s-1"
    await refused(token(STRANGER, "RS256"), verifier)


async def test_a_shared_secret_verifies_and_needs_no_key_id() -> None:
    with_and_without: list[dict[str, Any]] = [{"kid": "shared"}, {}]
    for headers in with_and_without:
        claims = await VERIFIER.verify(token(SECRET, "HS256", headers, iss=SYSTEM.issuer, role=None))
        assert claims.role is None
    await refused(token(SECRET + "!", "HS256", {"kid": "shared"}, iss=SYSTEM.issuer))
    await refused(token(SECRET, "HS256", {"kid": "other"}, iss=SYSTEM.issuer))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 5, ["RS256"], {"a": 1}])
async def test_an_unsigned_token_is_refused(algorithm: Any) -> None:
    header = {"typ": "JWT", "alg": algorithm, "kid": "one"}
    await refused(forged(header, payload(), None))
    await refused(token().rpartition(".")[0] + ".")
    await refused(forged(header, payload(iss=SYSTEM.issuer), SECRET.encode()))


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
async def test_a_public_key_is_no_shared_secret(encoding: Encoding, form: PublicFormat) -> None:
    public = PRIVATE.public_key().public_bytes(encoding, form)
    for key in (public, public.rstrip(b"\n")):
        await refused(forged({"typ": "JWT", "alg": "HS256", "kid": "one"}, payload(), key))


async def test_only_the_algorithms_of_the_issuer_count() -> None:
    await refused(token(algorithm="RS384"))  # the same key and family
    await refused(token(algorithm="PS256"))  # the same key, another family
    await refused(token(CURVE, "ES256"))
    await refused(token(SECRET, "HS256", {"kid": "shared"}))  # another issuer's secret
    await refused(token(iss=SYSTEM.issuer, headers={"kid": "shared"}))


async def test_who_signed_it_is_not_for_the_token_to_say() -> None:
    await refused(token(STRANGER))
    await refused(token(STRANGER, headers={"kid": "one", "jwk": jwt.PyJWK.from_json(_jwk(STRANGER))._jwk_data}))
    await refused(token(headers={"kid": "two"}))
    await refused(token(iss="https://elsewhere.example"))
    for name in ("jku", "x5u"):
        await refused(token(STRANGER, headers={"kid": "one", name: "http://127.0.0.1:1/jwks.json"}))
        assert await VERIFIER.verify(token(headers={"kid": "one", name: "http://127.0.0.1:1/jwks.json"}))


def _jwk(private: Any) -> str:
    return jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key())


async def test_demands_that_nobody_understands_are_refused() -> None:
    demands: list[dict[str, Any]] = [
        {"crit": ["x"], "x": 1},
        {"crit": []},
        {"crit": "b64"},
        {"b64": True, "crit": ["b64"]},
    ]
    for headers in demands:
        header = {"typ": "JWT", "alg": "HS256", "kid": "shared", **headers}
        await refused(forged(header, payload(iss=SYSTEM.issuer), SECRET.encode()))
    # The same token without the demand is good, so it was the demand.
    good = forged({"typ": "JWT", "alg": "HS256", "kid": "shared"}, payload(iss=SYSTEM.issuer), SECRET.encode())
    assert await VERIFIER.verify(good)


async def test_a_token_of_another_type_is_refused() -> None:
    for kind in ("at+jwt", "application/at+jwt", "jwt", ""):
        assert await VERIFIER.verify(token(headers={"kid": "one", "typ": kind}))
    await refused(token(headers={"kid": "one", "typ": "logout+jwt"}))


@pytest.mark.parametrize("name", ["exp", "iss", "aud", "sub", "tenant"])
async def test_a_token_without_a_required_claim_is_refused(name: str) -> None:
    claims = payload(iss=SYSTEM.issuer)
    absent = {other: value for other, value in claims.items() if other != name}
    assert await VERIFIER.verify(forged({"alg": "HS256"}, claims, SECRET.encode()))
    for broken in (absent, absent | {name: None}):
        await refused(forged({"alg": "HS256"}, broken, SECRET.encode()))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-service"},
        {"aud": ["another-service"]},
        {"aud": []},
        {"aud": {"homeroom": 1}},
        {"aud": "homeroom "},
        {"iss": SCHOOL.issuer + "/"},
        {"sub": ""},
        {"sub": "s" * 256},
        {"sub": "s\0"},
        {"sub": "\ud800"},
        {"sub": "two\nlines"},
    ],
    ids=repr,
)
async def test_a_token_for_or_by_somebody_else_is_refused(changes: dict[str, Any]) -> None:
    await refused(token(**changes))


@pytest.mark.parametrize("name", [[SYSTEM.issuer], {SYSTEM.issuer: 1}, 5, True, ""])
async def test_an_issuer_that_is_no_text_is_refused(name: Any) -> None:
    await refused(forged({"alg": "HS256"}, payload() | {"iss": name}, SECRET.encode()))


async def test_one_of_several_audiences_is_enough() -> None:
    assert await VERIFIER.verify(token(aud=["another-service", "homeroom"]))


async def test_a_token_counts_between_its_times_give_or_take_the_leeway() -> None:
    now = int(time.time())
    assert await VERIFIER.verify(token(exp=now - 5))
    assert await VERIFIER.verify(token(nbf=now + 5, iat=now + 5))
    await refused(token(exp=now - 11))
    await refused(token(nbf=now + 60))
    await refused(token(iat=now + 60))


@pytest.mark.parametrize("moment", ["soon", "99999999999", True, 1e300, float("inf"), float("nan"), 10**400, [9e9], {}])
async def test_an_expiry_that_is_no_date_is_refused(moment: Any) -> None:
    await refused(token(exp=moment))


@pytest.mark.parametrize(
    "tenant", ["", " ", "-north", "north ", "north\n", "nörth", "../north", "n" * 65, "a/b", "n\0", 5, True, ["north"]]
)
async def test_a_tenant_claim_that_is_no_tenant_id_is_refused(tenant: Any) -> None:
    await refused(token(tenant=tenant))


async def test_an_issuer_speaks_for_its_own_tenants_alone() -> None:
    verifier = TokenVerifier([replace(SCHOOL, tenants=frozenset({"north"}))], {})
    assert (await verifier.verify(token())).tenant_id == "north"
    await refused(token(tenant="south"), verifier)


async def test_claims_may_bear_other_names() -> None:
    issuer = replace(SCHOOL, tenant_claim="https://h/tenant", role_claim="https://h/role", scope_claim="scp")
    changes: dict[str, Any] = {"https://h/tenant": "south", "https://h/role": "teacher", "scp": ["jobs:read"]}
    claims = await TokenVerifier([issuer], {}).verify(token(**changes))
    assert (claims.tenant_id, claims.role, set(claims.scopes)) == ("south", "teacher", {"jobs:read"})


@pytest.mark.parametrize("role", ["Student", "admin", "", ["student"], 1, False])
async def test_a_role_that_is_not_understood_does_not_pass_for_none(role: Any) -> None:
    assert (await VERIFIER.verify(token(role=None))).role is None
    await refused(token(role=role))


async def test_an_issuer_hands_out_the_scopes_that_it_was_granted() -> None:
    everything = token(scope="jobs:read jobs:write admin operator openid")
    assert (await VERIFIER.verify(everything)).scopes == {"jobs:read", "jobs:write"}
    for grants in (frozenset({"jobs:read"}), frozenset({"jobs:read", "operator"}), frozenset[str]()):
        assert (await TokenVerifier([replace(SCHOOL, grants=grants)], {}).verify(everything)).scopes == grants
    assert (await VERIFIER.verify(token(scope=None))).scopes == frozenset()
    for garbage in (5, {"jobs:read": 1}, [["jobs:read"]], True):
        await refused(token(scope=garbage))


async def test_a_token_that_is_too_long_is_refused_before_it_is_read() -> None:
    assert await VERIFIER.verify(token(padding="x" * 5000))
    long = token(padding="x" * 6500)
    assert len(long) > TOKEN_BYTES
    await refused(long)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "\ud800.a.b", "é.e.e", "{}.{}.", "e30.e30.e30", "e30..", "W10.W10."]
)
async def test_garbage_is_refused(text: str) -> None:
    await refused(text)


async def test_nested_brackets_and_endless_numbers_are_refused() -> None:
    for body in (b"[" * 6000, b'{"a":' * 1000, b'{"exp":' + b"9" * 5000 + b"}"):
        await refused(f"{_base64(body)[:4000]}.{_base64(body)[:4000]}.")
        await refused(f"{_base64(b'{}')}.{_base64(body)[:8000]}.")


@settings(max_examples=300)
@given(data=st.data())
async def test_no_change_of_a_good_token_passes_and_nothing_else_is_raised(data: st.DataObject) -> None:
    good = token()
    position = data.draw(st.integers(0, len(good) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda letter: letter != good[position]))
    await refused(good[:position] + letter + good[position + 1 :])


@given(header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit"]), st.text() | st.integers() | st.none()))
async def test_no_header_breaks_the_verifier(header: dict[str, Any]) -> None:
    await refused(forged({"alg": "HS256", **header, "typ": "x"}, payload(iss=SYSTEM.issuer), SECRET.encode()))
    await refused(forged({"alg": "HS256", **header}, payload(iss=SYSTEM.issuer), b"another"))
