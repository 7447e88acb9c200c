"""What a file is: its name and its bytes must say the same, and its bytes must not say two things.

A file that is valid as two formats is how a scanner is shown one document and a parser another.
"""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import PurePosixPath

import filetype

from app.documents.failures import DocumentFailure
from app.documents.kinds import TEXTS, Kind, kind_of

# What the library calls the bytes of each suffix; Office documents are zip archives, older ones OLE containers.
SIGNATURES = {
    ".pdf": {"pdf"},
    ".docx": {"docx", "zip", "xlsx", "pptx"},
    ".xlsx": {"docx", "zip", "xlsx", "pptx"},
    ".png": {"png"},
    ".jpg": {"jpg"},
    ".jpeg": {"jpg"},
    ".webp": {"webp"},
    ".bmp": {"bmp"},
    ".xls": {"xls", "doc", "ppt"},
}
OLE = bytes.fromhex("D0CF11E0A1B11AE1")
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # an Office document with a password is an OLE container
ZIP_END = b"PK\x05\x06"
ZIP_END_BYTES = 22
PNG_END = b"IEND\xaeB`\x82"
JPEG_END = b"\xff\xd9"
TEXT_SAMPLE = 65_536
FOREIGN = (b"%PDF-", b"PK\x03\x04", b"<script", b"<?php", b"\x7fELF")


def sniff(name: str, content: bytes) -> Kind:
    """The kind of this file, after its bytes have confirmed what its name promises."""
    kind = kind_of(name)
    if not content.strip(b"\x00\t\r\n "):
        raise DocumentFailure("empty_file", "the file is empty", file=name)
    if kind in TEXTS:
        _must_be_text(name, content)
    else:
        _must_carry_its_signature(name, content)
        _must_be_one_thing(name, kind, content)
    return kind


def _signature(content: bytes) -> str | None:
    if content.startswith(OLE):
        return "xls"  # which program's container it is, its parser will say
    found = filetype.guess_extension(content[:8192])
    return None if found is None else str(found)


def _must_carry_its_signature(name: str, content: bytes) -> None:
    suffix = PurePosixPath(name).suffix.lower()
    found = _signature(content)
    if found == "xls" and ENCRYPTED in content:
        raise DocumentFailure("encrypted", "the document is protected by a password", file=name)
    if found not in SIGNATURES[suffix]:
        raise DocumentFailure("type_mismatch", f"the content is {found or 'unknown'}, not {suffix[1:]}", file=name)


def _must_be_text(name: str, content: bytes) -> None:
    sample = content[:TEXT_SAMPLE]
    utf16 = sample[:2] in (b"\xff\xfe", b"\xfe\xff")
    found = None if utf16 else _signature(content)
    if found is not None or (b"\x00" in sample and not utf16):
        raise DocumentFailure("type_mismatch", f"the content is {found or 'binary'}, not text", file=name)


def _must_be_one_thing(name: str, kind: Kind, content: bytes) -> None:
    """Nothing may stand before or after the document in its own file."""
    if kind == "image":
        foreign = _after_image(PurePosixPath(name).suffix.lower(), content)
    elif kind == "pdf":
        end = content.rfind(b"%%EOF")
        foreign = b"" if end < 0 else content[end + 5 :].strip(b"\x00\t\r\n ")
    elif kind in {"docx", "xlsx"}:
        end = content.rfind(ZIP_END)
        comment = int.from_bytes(content[end + 20 : end + 22], "little")
        foreign = b"" if end >= 0 and end + ZIP_END_BYTES + comment == len(content) else FOREIGN[1]
        if end < 0:
            raise DocumentFailure("damaged", "the archive ends too early", file=name)
    else:
        foreign = b""
    also_zip = kind in {"image", "pdf"} and zipfile.is_zipfile(BytesIO(content))  # those are read from their end
    if also_zip or any(mark in foreign for mark in FOREIGN):
        raise DocumentFailure("polyglot", "the file holds a second document", file=name)


def _after_image(suffix: str, content: bytes) -> bytes:
    if suffix == ".png":
        end = content.find(PNG_END)
        return b"" if end < 0 else content[end + len(PNG_END) :]
    if suffix == ".bmp":
        return content[int.from_bytes(content[2:6], "little") :]
    if suffix == ".webp":
        return content[int.from_bytes(content[4:8], "little") + 8 :]
    end = content.rfind(JPEG_END)
    return b"" if end < 0 else content[end + 2 :]
