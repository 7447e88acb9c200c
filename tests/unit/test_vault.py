"""Secrets at rest: what comes back is what went in, for the same tenant and field, or nothing comes back."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tenancy.vault import RetiredMasterKey, Tampered, UnknownMasterKey, Vault, WrappedKey, _bind

OLD = "the master key of last year, long enough"
NEW = "the master key of this year, long enough"

vault = Vault(OLD)
data_key = vault.new_data_key("north")
sealed = vault.encrypt(data_key, "north", "llm_api_key", b"sk-secret")


@given(tenant=st.text(max_size=64), name=st.text(max_size=64), plaintext=st.binary(max_size=4096))
def test_what_is_encrypted_is_decrypted(tenant: str, name: str, plaintext: bytes) -> None:
    wrapped = vault.new_data_key(tenant)
    ciphertext = vault.encrypt(wrapped, tenant, name, plaintext)
    assert vault.decrypt(wrapped, tenant, name, ciphertext) == plaintext


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), min_size=2, max_size=2, unique=True))
def test_no_two_places_are_one(places: list[tuple[str, str]]) -> None:
    """Moving a letter from the tenant to the field makes another place: ("ab", "c") is not ("a", "bc")."""
    (tenant, name), (other_tenant, other_name) = places
    wrapped = vault.new_data_key(tenant)
    ciphertext = vault.encrypt(wrapped, tenant, name, b"x")
    with pytest.raises(Tampered):
        vault.decrypt(wrapped, other_tenant, other_name, ciphertext)


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_a_letter_that_moves_to_the_next_text_binds_to_something_else(
    texts: list[tuple[str, str, str]],
) -> None:
    one, other = texts
    assert _bind(*one) != _bind(*other)
    assert _bind("secret", "ab", "c") != _bind("secret", "a", "bc")


@pytest.mark.parametrize("name", ["llm_api_ke", "llm_api_keyy", "LLM_API_KEY", ""])
def test_another_field_of_the_same_tenant_opens_nothing(name: str) -> None:
    assert vault.decrypt(data_key, "north", "llm_api_key", sealed) == b"sk-secret"
    with pytest.raises(Tampered):
        vault.decrypt(data_key, "north", name, sealed)


def test_every_flipped_bit_is_noticed() -> None:
    for position in range(len(sealed) * 8):
        with pytest.raises(Tampered):
            vault.decrypt(data_key, "north", "llm_api_key", _flip(sealed, position))
    for position in range(len(data_key.sealed) * 8):
        with pytest.raises(Tampered):
            vault.decrypt(WrappedKey(_flip(data_key.sealed, position), data_key.kek_id), "north", "llm_api_key", sealed)


def test_every_truncation_and_every_addition_is_noticed() -> None:
    for length in range(len(sealed)):
        with pytest.raises(Tampered):
            vault.decrypt(data_key, "north", "llm_api_key", sealed[:length])
    for length in range(len(data_key.sealed)):
        with pytest.raises(Tampered):
            vault.rewrap(WrappedKey(data_key.sealed[:length], data_key.kek_id), "north")
    with pytest.raises(Tampered):
        vault.decrypt(data_key, "north", "llm_api_key", sealed + b"\0")


def test_another_tenant_gets_nothing_with_either_data_key() -> None:
    south = vault.new_data_key("south")
    for wrapped, tenant in ((data_key, "south"), (south, "south"), (south, "north")):
        with pytest.raises(Tampered):
            vault.decrypt(wrapped, tenant, "llm_api_key", sealed)
    with pytest.raises(Tampered):
        vault.encrypt(data_key, "south", "llm_api_key", b"x")
    with pytest.raises(Tampered):
        vault.rewrap(data_key, "south")


def test_a_data_key_is_no_secret_and_a_secret_is_no_data_key() -> None:
    with pytest.raises(Tampered):
        vault.decrypt(data_key, "north", data_key.kek_id, data_key.sealed)
    with pytest.raises(Tampered):
        vault.decrypt(replace(data_key, sealed=sealed), "north", "llm_api_key", sealed)


def test_the_format_is_the_one_that_is_documented() -> None:
    plaintext = b"sk-secret"
    assert sealed[0] == 1
    assert len(sealed) == 1 + 12 + len(plaintext) + 16
    assert len(data_key.sealed) == 1 + 12 + 32 + 16
    assert plaintext not in sealed


def test_what_the_first_release_stored_is_read_for_ever() -> None:
    stored = WrappedKey(
        bytes.fromhex(
            "01abf210e59198ce032426946e7f000e044939118199842dbb4ff88e871e291d3905067d706689a1c839297d11297201"
            "deb938373e0436a3b14112fe42"
        ),
        "c5b0109b25737194",
    )
    secret = bytes.fromhex("01016be2144c4db85cf8eccc4e389f313bae2e2283cb93c3e39d91bd414509feb67736348e2e")
    assert Vault(NEW, [OLD]).decrypt(stored, "north", "llm_api_key", secret) == b"sk-secret"


def test_nothing_is_encrypted_twice_to_the_same_bytes() -> None:
    again = {vault.encrypt(data_key, "north", "llm_api_key", b"sk-secret") for _ in range(1000)}
    assert len({one[1:13] for one in again}) == 1000
    assert len({vault.new_data_key("north").sealed for _ in range(100)}) == 100


def test_rotation_from_end_to_end_without_a_moment_in_which_a_secret_cannot_be_read() -> None:
    prepared, changed, done = Vault(OLD, [NEW]), Vault(NEW, [OLD]), Vault(NEW)
    read = ("north", "llm_api_key", sealed)

    # While processes are replaced, some are prepared and some have changed: each reads what the other writes.
    assert prepared.is_current(data_key)
    assert not changed.is_current(data_key)
    assert changed.decrypt(data_key, *read) == b"sk-secret"
    rewrapped = changed.rewrap(data_key, "north")
    written = changed.encrypt(rewrapped, "north", "webhook", b"whsec")
    assert prepared.decrypt(rewrapped, "north", "webhook", written) == b"whsec"
    assert prepared.decrypt(rewrapped, *read) == b"sk-secret"

    # The old master key is taken away; secrets were never touched.
    assert done.is_current(rewrapped)
    assert done.decrypt(rewrapped, *read) == b"sk-secret"
    assert done.decrypt(rewrapped, "north", "webhook", written) == b"whsec"
    with pytest.raises(UnknownMasterKey, match=data_key.kek_id):
        done.decrypt(data_key, *read)


def test_a_retired_master_key_encrypts_nothing_and_wraps_nothing() -> None:
    rotated = Vault(NEW, [OLD])
    with pytest.raises(RetiredMasterKey, match="rewrap"):
        rotated.encrypt(data_key, "north", "llm_api_key", b"x")
    assert rotated.new_data_key("north").kek_id == Vault(NEW).new_data_key("north").kek_id != data_key.kek_id


def test_rewrapping_what_is_current_changes_nothing() -> None:
    assert vault.rewrap(data_key, "north") == data_key


def test_a_fingerprint_tells_keys_apart_and_stays_with_its_key() -> None:
    assert Vault(OLD).is_current(data_key)
    assert Vault(OLD, [OLD, NEW]).is_current(data_key)
    assert not Vault(OLD + " ").is_current(data_key)
    assert len(data_key.kek_id) == 16


def test_a_fingerprint_that_was_changed_opens_nothing() -> None:
    both = Vault(NEW, [OLD])
    exchanged = replace(data_key, kek_id=both.new_data_key("north").kek_id)
    with pytest.raises(Tampered):
        both.decrypt(exchanged, "north", "llm_api_key", sealed)


def test_no_key_shows_in_a_representation_or_an_error() -> None:
    shown = f"{vault!r} {vault.__dict__!r} {data_key!r} {UnknownMasterKey(data_key.kek_id)} {Tampered()}"
    assert OLD not in shown
    assert repr(data_key.sealed) not in shown
    assert data_key.kek_id in repr(data_key)


def test_a_vault_cannot_be_pickled_into_a_job() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(vault)


@pytest.mark.parametrize("keys", [("",), (OLD, ""), ("", OLD)])
def test_an_empty_master_key_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="Cure"):
        Vault(keys[0], keys[1:])


def _flip(value: bytes, position: int) -> bytes:
    changed = bytearray(value)
    changed[position // 8] ^= 1 << position % 8
    return bytes(changed)
