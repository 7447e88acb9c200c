"""What a file is by its name and its first bytes: enough to send it back at once.

A worker looks at the whole file before it opens it (documents/sniff.py), by libraries that the API does not carry.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from app.documents.kinds import KINDS, TEXTS
from app.workloads.uploads.refusals import EmptyFile, MismatchedFile, UnsupportedFile

HEAD = 1024  # bytes that are looked at
LONGEST_NAME = 200
ZIP, OLE = b"PK\x03\x04", bytes.fromhex("D0CF11E0A1B11AE1")
BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    ".pdf": (b"%PDF-", b"\xef\xbb\xbf%PDF-"),
    ".docx": (ZIP, OLE),  # an OLE container is a document with a password: the worker says so
    ".xlsx": (ZIP, OLE),
    ".xls": (OLE,),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".webp": (b"RIFF",),
    ".bmp": (b"BM",),
}
TELLING = 4  # bytes: fewer may begin a text, as BM and RIFF may
OTHERS = tuple(each for several in BEGINNINGS.values() for each in several if len(each) >= TELLING and each != b"RIFF")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")

_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def shown_name(given: str) -> str:
    """The owner's name for a file, fit to be shown: without folders, without what a screen would not show as it is."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    plain = _UNSHOWABLE.sub("", last).strip()
    stem, suffix = PurePosixPath(plain).stem, PurePosixPath(plain).suffix
    return f"{stem[: LONGEST_NAME - len(suffix)]}{suffix}" if plain.strip(".") else "file"


def suffix_of(name: str) -> str:
    """The ending of a file that may be read."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in KINDS:
        raise UnsupportedFile(f"{name!r} is of no type that is read.")
    return suffix


def check_head(name: str, suffix: str, head: bytes, size: int) -> None:
    """Whether a file begins as its name promises."""
    if size == 0:
        raise EmptyFile(f"{name!r} is empty.")
    if KINDS[suffix] in TEXTS:
        if not head.startswith(UTF_16) and (b"\x00" in head or head.startswith(OTHERS)):
            raise MismatchedFile(f"{name!r} is not text.")
    elif not head.startswith(BEGINNINGS[suffix]):
        raise MismatchedFile(f"{name!r} does not begin as a {suffix[1:]} file does.")
