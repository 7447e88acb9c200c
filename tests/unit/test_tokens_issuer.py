"""An issuer is checked when it is configured: what is wrong with it is said with its cure, before any token comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.tenancy.tokens import FAMILIES, Issuer, TokenVerifier
from tests.unit.test_tokens import PRIVATE, SCHOOL, SECRET, SYSTEM, pem

URL = "https://id.school.example/jwks.json"


def wrong(issuer: Issuer, /, **changes: Any) -> str:
    """What an issuer with these changes is refused with."""
    with pytest.raises(ValueError, match="Cure: ") as caught:
        replace(issuer, **changes)
    return str(caught.value)


@pytest.mark.parametrize(
    "algorithms",
    [
        {"RS256", "HS256"},
        {"RS256", "PS256"},
        {"RS256", "ES256"},
        {"ES256", "EdDSA"},
        {"none"},
        {"RS256", "none"},
        {"RS257"},
        {"ES256K"},
        set(),
    ],
    ids=lambda names: "+".join(sorted(names)) or "nothing",
)
def test_algorithms_of_no_or_of_two_families_are_refused(algorithms: set[str]) -> None:
    assert "one line alone" in wrong(SCHOOL, algorithms=frozenset(algorithms))
    assert "one line alone" in wrong(SYSTEM, algorithms=frozenset(algorithms))


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "HS"])
def test_a_whole_family_is_welcome(family: str) -> None:
    issuer = Issuer(issuer="i", audience="a", algorithms=FAMILIES[family], jwks_url=URL)
    assert issuer.algorithms == FAMILIES[family]


def test_keys_come_from_one_place() -> None:
    assert "from one place" in wrong(SCHOOL, jwks_url=URL)
    assert "from one place" in wrong(SCHOOL, keys={})


def test_a_secret_does_not_come_from_a_public_document() -> None:
    assert "JWKS is public" in wrong(SYSTEM, keys={}, jwks_url=URL)


@pytest.mark.parametrize(
    "url", ["http://id.school.example/jwks", "ftp://id.school.example/jwks", "jwks.json", "https://"]
)
def test_a_jwks_that_could_be_forged_on_its_way_is_refused(url: str) -> None:
    wrong(SCHOOL, keys={}, jwks_url=url)


def test_a_public_key_or_a_short_text_is_no_secret() -> None:
    for text in (pem(PRIVATE), "", "short", "x" * 31, '{"kty": "oct", "k": "' + "x" * 64 + '"}'):
        assert SECRET not in wrong(SYSTEM, keys={"shared": SECRET, "other": text})
    assert "too short for HS256, HS512" in wrong(
        SYSTEM, algorithms=frozenset({"HS256", "HS512"}), keys={"shared": "x" * 63}
    )


def test_a_key_that_does_not_suit_the_algorithms_is_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for private in (weak, ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        assert "too weak or of another kind" in wrong(SCHOOL, keys={"one": pem(private)})
    bitcoin = ec.generate_private_key(ec.SECP256K1())
    assert "too weak or of another kind" in wrong(SCHOOL, algorithms=frozenset({"ES256"}), keys={"one": pem(bitcoin)})


def test_a_private_key_is_refused_and_not_repeated() -> None:
    private = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    said = wrong(SCHOOL, keys={"one": private})
    assert "-pubout" in said
    assert private.splitlines()[1] not in said


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ""},
        {"audience": ""},
        {"tenant_claim": ""},
        {"grants": frozenset({"jobs:read", "root"})},
        {"leeway": -1},
        {"leeway": 3600},
        {"leeway": float("nan")},
    ],
    ids="+".join,
)
def test_other_mistakes_are_refused(changes: dict[str, Any]) -> None:
    wrong(SCHOOL, **changes)


def test_a_secret_does_not_show() -> None:
    assert SECRET not in repr(SYSTEM)
    assert SECRET not in repr(SYSTEM.static_keys())
    assert SECRET not in repr(TokenVerifier([SYSTEM], {}).__dict__)


def test_an_issuer_twice_or_without_its_source_is_refused() -> None:
    with pytest.raises(ValueError, match="Cure: keep one"):
        TokenVerifier([SCHOOL, replace(SCHOOL, audience="other")], {})
    with pytest.raises(ValueError, match="Cure: pass one"):
        TokenVerifier([replace(SCHOOL, keys={}, jwks_url=URL)], {})
