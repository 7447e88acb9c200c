"""Headers by which a client says how it wants to be answered: Prefer, If-None-Match, Idempotency-Key."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header

from app.api.refusals import InvalidIdempotencyKey

LONGEST_WAIT = 60
LONGEST_KEY = 255

_WAIT = re.compile(r"""\s*wait\s*=\s*(?:([0-9]{1,9})|"([0-9]{1,9})")\s*(?:;.*)?""", re.IGNORECASE)
_ETAG = re.compile(r'(?:W/)?("[^"]*")')
_PRINTABLE = re.compile(rf"[\x20-\x7e]{{1,{LONGEST_KEY}}}")


def preferred_wait(headers: list[str]) -> int | None:
    """The seconds of the first `wait` preference (RFC 7240). What cannot be understood is ignored, as it demands."""
    for preference in ",".join(headers).split(","):
        if (match := _WAIT.fullmatch(preference)) is not None:
            return min(int(match[1] or match[2]), LONGEST_WAIT)
    return None


def wait_headers(wait: int | None) -> dict[str, str]:
    """Tell the client that its preference was heard."""
    return {} if wait is None else {"Preference-Applied": f"wait={wait}"}


def etag_of(body: bytes) -> str:
    """A strong tag: equal bytes, equal tag."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def none_match(header: str | None, etag: str) -> bool:
    """Whether If-None-Match lets an answer with this tag through."""
    if header is None:
        return True
    return header.strip() != "*" and etag not in _ETAG.findall(header)


def client_key(given: str | None) -> str | None:
    """The key as the ledger keeps it: clients' keys never meet those that other parts of Homeroom make."""
    if given is None:
        return None
    if _PRINTABLE.fullmatch(given) is None:
        raise InvalidIdempotencyKey(f"Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters.")
    return f"client:{given}"


async def get_wait(
    prefer: Annotated[
        list[str] | None, Header(alias="Prefer", description="`wait=N`: answer when the job has ended, or after N s")
    ] = None,
) -> int | None:
    return preferred_wait(prefer or [])


async def get_client_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="The same key never does the work twice",
            json_schema_extra={"minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
        ),
    ] = None,
) -> str | None:
    return client_key(idempotency_key)


PreferredWait = Annotated[int | None, Depends(get_wait)]
ClientKey = Annotated[str | None, Depends(get_client_key)]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="An ETag: answer 304 while the document is still that one")
]
