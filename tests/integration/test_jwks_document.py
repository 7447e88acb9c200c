"""What is read from a JWKS, and what is left out of it."""

from __future__ import annotations

import contextlib
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from app.kit import json
from app.tenancy.jwks import VerifyingKey, choose, parse_document
from tests.integration.test_jwks import FIRST, SECOND, entry

WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
EC: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(
    ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True
)


def parse(*entries: Any) -> tuple[VerifyingKey, ...]:
    return parse_document(json.dumps({"keys": entries}))


@pytest.mark.parametrize(
    "unusable",
    [
        entry("encryption", use="enc"),
        entry("weak", WEAK),
        entry("broken", n="!"),
        entry("number", n=5),
        entry("other", kty="XYZ"),
        entry("odd", kty=["RSA"]),
        entry("another's algorithm", alg="ES256"),
        entry("odd algorithm", alg=["RS256"]),
        entry(None) | {"kid": 5},
        jwt.algorithms.RSAAlgorithm.to_jwk(SECOND, as_dict=True) | {"kid": "private"},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0" * 10},
        EC | {"x": "A" * 43, "y": "A" * 43},  # not on the curve
        EC | {"x": "AAAA"},
        EC | {"crv": "P-257"},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "RSA"},
        {},
        [],
        None,
        "key",
    ],
)
def test_an_entry_that_is_no_use_is_left_out_and_the_others_stay(unusable: Any) -> None:
    assert [key.kid for key in parse(unusable, entry("one"), unusable)] == ["one"]


def test_a_key_verifies_what_its_kind_and_its_owner_allow() -> None:
    eddsa = [
        jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
        for private in (ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate())
    ]
    free, bound, curve, *edwards = parse(entry("free"), entry("bound", alg="RS512"), EC, *eddsa)
    assert free.algorithms == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert bound.algorithms == {"RS512"}
    assert curve.algorithms == {"ES256"}
    assert [key.algorithms for key in edwards] == [{"EdDSA"}, {"EdDSA"}]


def test_of_two_keys_nobody_guesses() -> None:
    one, twice, again = parse(entry("one"), entry("twice"), entry("twice", SECOND))
    assert choose([one, twice, again], "one", "RS256") == one
    assert choose([one, twice, again], "twice", "RS256") is None
    assert choose([one, twice], None, "RS256") is None
    assert choose([one], None, "RS256") == one
    assert choose([one], "", "RS256") is None
    assert choose([one], "one", "ES256") is None
    assert choose([], None, "RS256") is None


def test_an_id_may_serve_two_kinds_of_key() -> None:
    keys = parse(entry("one"), EC | {"kid": "one"})
    found = choose(keys, "one", "RS256")
    assert found is not None
    assert found.key == FIRST.public_key()


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "p", "kid", "use", "alg", "oth"]),
        st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB", "A" * 43, "", "é", "="])
        | st.text(max_size=5)
        | st.integers(-(2**40), 2**40)
        | st.none()
        | st.lists(st.none(), max_size=2),
    )
)
def test_no_entry_breaks_the_reader(garbage: dict[str, Any]) -> None:
    assert parse(garbage, entry("one"))[-1].kid == "one"


@given(st.binary(max_size=200))
def test_bytes_that_are_no_document_are_one_kind_of_error(raw: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert parse_document(raw) == ()
