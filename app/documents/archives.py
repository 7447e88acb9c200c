"""Office documents are zip archives. What is in them is measured before any parser unpacks it.

The directory of an archive can lie, so each member is also unpacked once, in pieces, and thrown away: a parser that
trusts the directory then trusts numbers that are true.
"""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from app.documents.failures import DocumentFailure
from app.documents.kinds import Kind
from app.documents.limits import Limits

PIECE = 256 * 1024
SMALL = 1024 * 1024  # a ratio says nothing about a member of a few bytes
ENCRYPTED = 0x1
MAIN_PART = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}


def check_archive(name: str, kind: Kind, content: bytes, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            _check_directory(name, members, limits)
            if MAIN_PART[kind] not in {member.filename for member in members}:
                raise DocumentFailure("type_mismatch", f"the archive is no {kind} document", file=name)
            for member in members:
                _unpack(name, archive, member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise DocumentFailure("damaged", f"the archive cannot be read: {error}", file=name) from error


def _check_directory(name: str, members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.archive_members:
        raise DocumentFailure("unsafe_archive", f"the archive has {len(members)} members", file=name)
    if sum(member.file_size for member in members) > limits.archive_bytes:
        raise DocumentFailure("unsafe_archive", "the archive unpacks to more than is allowed", file=name)
    seen: set[str] = set()
    for member in members:
        if _unsafe(member.orig_filename) or member.filename in seen:
            raise DocumentFailure("unsafe_archive", "the archive has a member with an unsafe name", file=name)
        seen.add(member.filename)
        if member.flag_bits & ENCRYPTED:
            raise DocumentFailure("encrypted", "the archive is encrypted", file=name)
        if member.file_size > SMALL and member.file_size > member.compress_size * limits.archive_ratio:
            raise DocumentFailure("unsafe_archive", "a member of the archive is packed too tightly", file=name)


def _unsafe(member: str) -> bool:
    parts = member.replace("\\", "/").split("/")
    return "\x00" in member or ".." in parts or parts[0] == "" or ":" in parts[0]


def _unpack(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Read to the end: a size or a checksum in the directory that does not hold raises."""
    unpacked = 0
    with archive.open(member) as stream:
        while piece := stream.read(PIECE):
            unpacked += len(piece)
    if unpacked != member.file_size:
        raise DocumentFailure("unsafe_archive", "a member of the archive has another size than declared", file=name)
