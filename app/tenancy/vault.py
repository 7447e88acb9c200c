"""Secrets of tenants at rest: envelope encryption with AES-256-GCM.

Every tenant has a data key of its own, which encrypts its secrets. The data key is stored wrapped, that is encrypted
by a key-encryption key, which HKDF-SHA256 derives from the master key; the master key itself is stored nowhere.

What is stored, a secret and a wrapped data key alike (version 1):

    byte 0        version, 0x01
    bytes 1-12    nonce, random
    bytes 13-...  ciphertext, followed by GCM's tag of 16 bytes

Associated data (not stored, but proved by the tag), each text preceded by its length in 4 bytes, big endian:

    of a secret      version | "secret"   | tenant id | field
    of a data key    version | "data key" | tenant id | kek id

so that no value can be moved to another tenant, field or version. Where a table holds many secrets of one kind, the
field names the row as well ("webhooks/<id>/secret"), or they could be exchanged among each other.

Rotation without downtime: every process gets the new master key as a previous one first (it can now read what others
will write), then the two change places, then every data key is rewrapped, then the old one is taken away. Rewrapping
touches the data keys alone, never the secrets.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kit.errors import HomeroomError

VERSION = b"\x01"

_KEY_BYTES = 32
_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = len(VERSION) + _NONCE_BYTES


class Tampered(HomeroomError):
    """A stored value is not what was stored for this tenant and field."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret was altered or truncated, or belongs to another tenant, field or version. "
            "Cure: restore it from a backup, or set it anew."
        )


class UnknownMasterKey(HomeroomError):
    """A data key was wrapped by a master key that this process was not given."""

    def __init__(self, kek_id: str) -> None:
        super().__init__(
            f"A data key was wrapped by the master key with the fingerprint {kek_id}, which is not among the "
            "configured ones. Cure: configure it as a previous master key until every data key is rewrapped."
        )


class RetiredMasterKey(HomeroomError):
    """Something was to be encrypted below a master key that only decrypts now."""

    def __init__(self, kek_id: str) -> None:
        super().__init__(
            f"The master key with the fingerprint {kek_id} only decrypts now. "
            "Cure: `rewrap()` the data key and store it, then encrypt."
        )


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A tenant's data key as it is stored, and the fingerprint of the master key that wrapped it."""

    sealed: bytes = field(repr=False)
    kek_id: str


class Vault:
    """Encrypts by the current master key; decrypts by any that it was given."""

    def __init__(self, master_key: str, previous: Sequence[str] = ()) -> None:
        texts = (master_key, *previous)
        if not all(texts):
            raise ValueError("A master key is empty. Cure: give a random text of 32 characters or more.")
        self._current = _kek_id(master_key)
        self._keks = {_kek_id(text): AESGCM(_derive(text, "kek", _KEY_BYTES)) for text in texts}

    def new_data_key(self, tenant_id: str) -> WrappedKey:
        return self._wrap(AESGCM.generate_key(_KEY_BYTES * 8), tenant_id)

    def encrypt(self, wrapped: WrappedKey, tenant_id: str, field: str, plaintext: bytes) -> bytes:
        if not self.is_current(wrapped):
            raise RetiredMasterKey(wrapped.kek_id)
        data_key = self._unwrap(wrapped, tenant_id)
        return _seal(AESGCM(data_key), plaintext, _bind("secret", tenant_id, field))

    def decrypt(self, wrapped: WrappedKey, tenant_id: str, field: str, ciphertext: bytes) -> bytes:
        data_key = self._unwrap(wrapped, tenant_id)
        return _open(AESGCM(data_key), ciphertext, _bind("secret", tenant_id, field))

    def rewrap(self, wrapped: WrappedKey, tenant_id: str) -> WrappedKey:
        """The same data key under the current master key; unchanged where it is that already."""
        data_key = self._unwrap(wrapped, tenant_id)
        return wrapped if self.is_current(wrapped) else self._wrap(data_key, tenant_id)

    def is_current(self, wrapped: WrappedKey) -> bool:
        return wrapped.kek_id == self._current

    def _wrap(self, data_key: bytes, tenant_id: str) -> WrappedKey:
        bound = _bind("data key", tenant_id, self._current)
        return WrappedKey(_seal(self._keks[self._current], data_key, bound), self._current)

    def _unwrap(self, wrapped: WrappedKey, tenant_id: str) -> bytes:
        kek = self._keks.get(wrapped.kek_id)
        if kek is None:
            raise UnknownMasterKey(wrapped.kek_id)
        return _open(kek, wrapped.sealed, _bind("data key", tenant_id, wrapped.kek_id))


def _kek_id(master_key: str) -> str:
    return _derive(master_key, "kek id", _ID_BYTES).hex()


def _derive(master_key: str, purpose: str, length: int) -> bytes:
    """Keys of different purposes tell nothing of each other: the fingerprint is no part of the key."""
    return HKDF(SHA256(), length, salt=None, info=f"homeroom vault 1 {purpose}".encode()).derive(master_key.encode())


def _bind(purpose: str, tenant_id: str, subject: str) -> bytes:
    """Associated data. With the lengths in it, no two lists of texts can give the same bytes."""
    texts = [text.encode() for text in (purpose, tenant_id, subject)]
    return VERSION + b"".join(len(text).to_bytes(4, "big") + text for text in texts)


def _seal(key: AESGCM, plaintext: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return VERSION + nonce + key.encrypt(nonce, plaintext, bound)


def _open(key: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    if len(sealed) < _HEAD_BYTES + _TAG_BYTES or not sealed.startswith(VERSION):
        raise Tampered
    try:
        return key.decrypt(sealed[len(VERSION) : _HEAD_BYTES], sealed[_HEAD_BYTES:], bound)
    except InvalidTag:
        raise Tampered from None
