"""JSON Web Tokens: from what an issuer signed to claims that Homeroom trusts.

The operator decides, the token does not: which issuers there are, where their keys lie, which algorithms they sign
with. The token's own `iss` chooses among the configured issuers and is then proved by the signature; `jku`, `x5u`,
`x5c` and `jwk` are ignored, `crit` is refused. Every refusal looks the same to the caller; the reason stands in the
log at level debug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.exceptions import InvalidKeyError, PyJWTError

from app.kit.logging import get_logger
from app.kit.tenant import TENANT_ID
from app.tenancy.access import Unauthorized
from app.tenancy.jwks import VerifyingKey, algorithms_of, choose, parse_url
from app.tenancy.keys import SCOPES

Role = Literal["student", "teacher"]

TOKEN_BYTES = 8 * 1024
SUBJECT_LENGTH = 255
MAX_LEEWAY = 300.0
ORDINARY_SCOPES: Final = SCOPES - {"admin", "operator"}

FAMILIES: Final = {
    "RS": frozenset({"RS256", "RS384", "RS512"}),
    "PS": frozenset({"PS256", "PS384", "PS512"}),
    "ES": frozenset({"ES256", "ES384", "ES512"}),
    "EdDSA": frozenset({"EdDSA"}),
    "HS": frozenset({"HS256", "HS384", "HS512"}),
}

# Other types of token are signed with the same keys and mean something else (RFC 8725, 3.11), such as a logout.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_REFUSAL = "The token is not valid here, or no longer."

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whom we believe, and how far. `keys` are texts by key id: PEM public keys, or secrets for HS256 and its kin."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    jwks_url: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    tenants: frozenset[str] | None = None  # whom this issuer may speak for; None is everybody
    grants: frozenset[str] = ORDINARY_SCOPES  # the scopes that it may hand out; `admin` and `operator` if named here
    tenant_claim: str = "tenant"
    role_claim: str = "role"
    scope_claim: str = "scope"
    leeway: float = 30.0

    def __post_init__(self) -> None:
        if not self.issuer or not self.audience or not self.tenant_claim:
            raise ValueError("An issuer needs a name, an audience and a tenant claim. Cure: leave none of them empty.")
        family = next((name for name, members in FAMILIES.items() if self.algorithms <= members), None)
        if family is None or not self.algorithms:
            raise ValueError(
                f"{_listed(self.algorithms)} is not one family of algorithms. "
                f"Cure: for {self.issuer} name algorithms of one line alone: "
                + "; ".join(_listed(members) for members in FAMILIES.values())
            )
        if (self.jwks_url is None) == (not self.keys):
            raise ValueError(f"{self.issuer} needs keys from one place. Cure: give either a JWKS URL or keys.")
        if self.jwks_url is not None:
            if family == "HS":
                raise ValueError(f"A JWKS is public, a secret is not. Cure: give the secrets of {self.issuer} as keys.")
            parse_url(self.jwks_url)
        if unknown := self.grants - SCOPES:
            raise ValueError(f"There is no scope {_listed(unknown)}. Cure: grant some of {_listed(SCOPES)}.")
        if not 0 <= self.leeway <= MAX_LEEWAY:
            raise ValueError(f"A leeway of {self.leeway:g} s is no leeway. Cure: choose 0 to {MAX_LEEWAY:g} seconds.")
        self.static_keys()

    def static_keys(self) -> tuple[VerifyingKey, ...]:
        """The given keys, made ready; a ValueError for one that does not suit the algorithms."""
        read = _read_secret if self.algorithms <= FAMILIES["HS"] else _read_public_key
        return tuple(read(self, kid, text) for kid, text in self.keys.items())


def _read_secret(issuer: Issuer, kid: str, text: str) -> VerifyingKey:
    secret = text.encode()
    if not all(_is_secret_for(name, secret) for name in issuer.algorithms):
        raise ValueError(
            f"Key {kid!r} of {issuer.issuer} is a public key, or too short for {_listed(issuer.algorithms)}. "
            "Cure: use a random text of 64 characters, for example from `openssl rand -base64 48`."
        )
    return VerifyingKey(kid, issuer.algorithms, secret)


def _is_secret_for(name: str, secret: bytes) -> bool:
    algorithm = jwt.get_algorithm_by_name(name)
    try:
        return algorithm.check_key_length(algorithm.prepare_key(secret)) is None
    except InvalidKeyError:
        return False


def _read_public_key(issuer: Issuer, kid: str, text: str) -> VerifyingKey:
    cure = "Cure: give the public key as PEM, as `openssl pkey -in key.pem -pubout` prints it"
    try:
        key: Any = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(f"Key {kid!r} of {issuer.issuer} cannot be read. {cure}.") from None
    algorithms = algorithms_of(key) & issuer.algorithms
    if not algorithms:
        raise ValueError(
            f"Key {kid!r} of {issuer.issuer} is too weak or of another kind than {_listed(issuer.algorithms)}. "
            f"{cure}, of RSA with 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519."
        )
    return VerifyingKey(kid, algorithms, key)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "nothing"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token proves. A role of None is a token that names none: a system, neither student nor teacher."""

    issuer: str
    tenant_id: str
    subject: str
    role: Role | None
    scopes: frozenset[str]
    expires_at: datetime


class KeySource(Protocol):
    """Where an issuer's keys come from; `app.tenancy.jwks.JwksSource` is one."""

    async def find(self, kid: str | None, algorithm: str) -> VerifyingKey | None: ...


@dataclass(frozen=True, slots=True)
class _StaticKeys:
    keys: tuple[VerifyingKey, ...]

    async def find(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        return choose(self.keys, kid, algorithm)


class _Refused(Exception):
    """Why a token is not accepted: for the log."""


class TokenVerifier:
    """Checks tokens of the configured issuers. `keys` holds one source for each JWKS URL that they name."""

    def __init__(self, issuers: Iterable[Issuer], keys: Mapping[str, KeySource]) -> None:
        self._trusted: dict[str, tuple[Issuer, KeySource]] = {}
        for issuer in issuers:
            if issuer.issuer in self._trusted:
                raise ValueError(f"{issuer.issuer} is configured twice. Cure: keep one entry for each issuer.")
            source = _StaticKeys(issuer.static_keys()) if issuer.jwks_url is None else keys.get(issuer.jwks_url)
            if source is None:
                raise ValueError(f"{issuer.issuer} has no key source. Cure: pass one for its JWKS URL in `keys`.")
            self._trusted[issuer.issuer] = (issuer, source)

    async def verify(self, token: str) -> Claims:
        """The claims of a valid token; Unauthorized for any other, Unavailable while its keys cannot be had."""
        try:
            return await self._verify(token)
        except (PyJWTError, _Refused) as reason:
            log.debug("token refused", reason=str(reason))
            raise Unauthorized(_REFUSAL) from None

    async def _verify(self, token: str) -> Claims:
        header, (issuer, source) = self._inspect(token)
        key = await source.find(header.get("kid"), header["alg"])
        if key is None:
            raise _Refused("the issuer has no key of this id and algorithm")
        payload = jwt.decode(
            token,
            key.key,
            algorithms=[header["alg"]],
            issuer=issuer.issuer,
            audience=issuer.audience,
            leeway=issuer.leeway,
            options={
                "require": ["exp", "iss", "aud", "sub", issuer.tenant_claim],
                "enforce_minimum_key_length": True,
            },
        )
        return _claims(issuer, payload)

    def _inspect(self, token: str) -> tuple[dict[str, Any], tuple[Issuer, KeySource]]:
        """Header and issuer, before anything is proved: enough to choose the rules by which it must be."""
        if len(token) > TOKEN_BYTES or not token.isascii():
            raise _Refused("too long, or not ASCII")
        unproved = jwt.decode_complete(token, options={"verify_signature": False})
        header, name = unproved["header"], unproved["payload"].get("iss")
        trusted = self._trusted.get(name) if isinstance(name, str) else None
        if trusted is None:
            raise _Refused("the issuer is not configured")
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in trusted[0].algorithms:
            raise _Refused("the algorithm is not the issuer's")
        if "crit" in header or "b64" in header:
            raise _Refused("it demands extensions")
        if str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise _Refused("it is a token of another type")
        return header, trusted


def _claims(issuer: Issuer, payload: dict[str, Any]) -> Claims:
    """The claims of a payload whose signature, issuer, audience and times are proved."""
    tenant_id, subject, role = payload[issuer.tenant_claim], payload["sub"], payload.get(issuer.role_claim)
    if not isinstance(tenant_id, str) or TENANT_ID.fullmatch(tenant_id) is None:
        raise _Refused("the tenant claim is no tenant id")
    if issuer.tenants is not None and tenant_id not in issuer.tenants:
        raise _Refused("the issuer may not speak for this tenant")
    # Printable alone: a NUL or half a surrogate pair would break the statement that stores it.
    if not 0 < len(subject) <= SUBJECT_LENGTH or not subject.isprintable():
        raise _Refused("the subject is empty, too long or not printable")
    # A role that is not understood must not pass for none, which is a system and may act for others.
    if role not in (None, "student", "teacher"):
        raise _Refused("the role is neither student nor teacher")
    return Claims(
        issuer=issuer.issuer,
        tenant_id=tenant_id,
        subject=subject,
        role=role,
        scopes=_scopes(payload.get(issuer.scope_claim)) & issuer.grants,
        expires_at=_moment(payload["exp"]),
    )


def _scopes(claim: object) -> frozenset[str]:
    """A text with spaces (RFC 8693) or a list of texts, as issuers differ; none where the claim is missing."""
    words = claim.split() if isinstance(claim, str) else [] if claim is None else claim
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise _Refused("the scope claim is neither a text nor a list of texts")
    return frozenset(words)


def _moment(claim: object) -> datetime:
    if not isinstance(claim, int | float):
        raise _Refused("the expiry is no number")
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (OverflowError, ValueError, OSError):
        raise _Refused("the expiry is no date") from None
