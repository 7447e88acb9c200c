"""The public keys of an issuer: a JSON Web Key Set (RFC 7517) behind one fixed URL.

The URL is the operator's. What a token says about where its key lies (`jku`, `x5u`, `jwk`) never comes here, and a
redirect is not followed. The document is kept for ten minutes, and for an hour after its fetch while the endpoint is
away. Who has to ask the endpoint shares one request with everybody else who does, and a flood of unknown key ids
costs one request a minute.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from app.kit import json
from app.kit.errors import Unavailable
from app.kit.logging import get_logger

DOCUMENT_BYTES = 64 * 1024
MAX_KEYS = 50
LIFE = 600.0  # seconds for which a document is used without asking again
STALE = 3600.0  # seconds after its fetch for which it still serves while the endpoint is away
UNKNOWN_KID = 60.0  # seconds between two requests on account of unknown key ids
RETRY = 5.0  # seconds between two requests while the endpoint is away

PublicKey: TypeAlias = "RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey"

_RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_RSA_BITS = range(2048, 8192 + 1)  # weaker ones can be broken, stronger ones keep the event loop busy
_CURVE_ALGORITHM = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_FROM_JWK = {"RSA": RSAAlgorithm.from_jwk, "EC": ECAlgorithm.from_jwk, "OKP": OKPAlgorithm.from_jwk}

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key, its id, and the only algorithms that it may verify."""

    kid: str | None
    algorithms: frozenset[str]
    key: PublicKey | bytes = field(repr=False)  # bytes: a shared secret, never from a JWKS


def choose(keys: Iterable[VerifyingKey], kid: str | None, algorithm: str) -> VerifyingKey | None:
    """The one key of that id that suits; without an id, the only one that suits. Of two nobody guesses."""
    found = [key for key in keys if algorithm in key.algorithms and kid in (None, key.kid)]
    return found[0] if len(found) == 1 else None


def algorithms_of(key: object) -> frozenset[str]:
    """What a public key can verify by its kind, curve and strength; nothing for any other object."""
    if isinstance(key, RSAPublicKey):
        return _RSA_ALGORITHMS if key.key_size in _RSA_BITS else frozenset()
    if isinstance(key, EllipticCurvePublicKey):
        algorithm = _CURVE_ALGORITHM.get(key.curve.name)
        return frozenset() if algorithm is None else frozenset({algorithm})
    return frozenset({"EdDSA"}) if isinstance(key, Ed25519PublicKey | Ed448PublicKey) else frozenset()


def parse_document(raw: bytes) -> tuple[VerifyingKey, ...]:
    """The usable keys of a JWKS. What is no JWKS at all is a ValueError; an entry that is no use is left out."""
    document = json.loads(raw)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise ValueError(f"the document has no list `keys` of at most {MAX_KEYS}")
    return tuple(key for key in map(_parse_key, entries) if key is not None)


def _parse_key(entry: Any) -> VerifyingKey | None:
    """None for a shared secret, a private key, a key that is not for signatures, or one that is not understood."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kid, kind, algorithm = entry.get("kid"), entry.get("kty"), entry.get("alg")
    if not isinstance(kid, str | None) or not isinstance(kind, str) or kind not in _FROM_JWK:
        return None
    try:
        key: Any = _FROM_JWK[kind](entry)
    except (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError):
        return None
    algorithms = algorithms_of(key)
    if algorithm is not None:
        algorithms = frozenset(name for name in algorithms if name == algorithm)
    return VerifyingKey(kid, algorithms, key) if algorithms else None


def parse_url(url: str) -> httpx.URL:
    """The address of a JWKS; a ValueError for one whose answer somebody on the way could forge."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"The JWKS URL cannot be read: {error}. Cure: write https://host/path.") from None
    if parsed.scheme not in ("https", "http") or not parsed.host or parsed.userinfo or parsed.fragment:
        raise ValueError(f"{_shown(parsed)} is no JWKS URL. Cure: write https://host/path, without user or fragment.")
    if parsed.scheme == "http" and not _is_loopback(parsed.host):
        raise ValueError(f"The keys at {_shown(parsed)} could be forged on their way. Cure: use https.")
    return parsed


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(url: httpx.URL) -> str:
    """For messages: some keep a token in the query, or a password before the host."""
    return f"{url.scheme}://{url.netloc.decode()}{url.path}"


class JwksSource:
    """The keys behind one URL, for one event loop."""

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float = 3.0,
        total_timeout: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = parse_url(url)
        self._timeout = httpx.Timeout(total_timeout, connect=connect_timeout)
        self._total_timeout = total_timeout
        self._clock = clock
        # Made once, since reading the trust store blocks; the operating system's, since a school may have its own CA.
        self._tls = ssl.create_default_context()
        self._keys: tuple[VerifyingKey, ...] = ()
        self._fetched_at = -float("inf")
        self._asked_at = -float("inf")
        self._away = False
        self._flight: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        """The key, None where the issuer has no such key, Unavailable where nobody can tell at the moment."""
        key = self._held(kid, algorithm)
        if key is not None and self._age() < LIFE:
            return key
        if self._flight is None and self._may_ask(known=key is not None):
            self._flight = asyncio.create_task(self._refresh())
        # While the endpoint is away, who finds a key here does not wait for another failure.
        if self._flight is not None and not (key is not None and self._away):
            # A task of its own, not awaited directly: a caller that gives up does not take the others' answer along.
            flight = self._flight
            await asyncio.wait({flight})
            flight.result()
        if self._age() >= STALE:
            raise Unavailable("The issuer's signing keys cannot be fetched.")
        return self._held(kid, algorithm)

    def _held(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        return choose(self._keys, kid, algorithm) if self._age() < STALE else None

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _may_ask(self, *, known: bool) -> bool:
        since = self._clock() - self._asked_at
        if self._age() >= LIFE:
            return since >= RETRY or not self._away
        return not known and since >= UNKNOWN_KID

    async def _refresh(self) -> None:
        self._asked_at = self._clock()
        try:
            keys = parse_document(await self._fetch())
        except (httpx.HTTPError, OSError, ValueError) as error:  # TimeoutError is an OSError
            self._away = True
            log.warning("signing keys not fetched", url=_shown(self._url), error=str(error) or repr(error))
        else:
            # An empty set is an answer as well: the issuer has withdrawn its keys.
            self._keys, self._fetched_at, self._away = keys, self._clock(), False
            if not keys:
                log.warning("the issuer publishes no usable signing key", url=_shown(self._url))
        finally:
            self._flight = None

    async def _fetch(self) -> bytes:
        async with (
            asyncio.timeout(self._total_timeout),  # the whole of it: httpx's own time-outs begin anew with every byte
            httpx.AsyncClient(verify=self._tls, timeout=self._timeout, trust_env=False) as client,
            # Not compressed: 64 kB on the wire must not become 64 MB here.
            client.stream("GET", self._url, headers={"Accept-Encoding": "identity"}) as response,
        ):
            if response.status_code != httpx.codes.OK or "Content-Encoding" in response.headers:
                raise ValueError(f"the endpoint answers {response.status_code}, or with a compressed document")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > DOCUMENT_BYTES:
                    raise ValueError(f"the document is larger than {DOCUMENT_BYTES} bytes")
            return bytes(body)
