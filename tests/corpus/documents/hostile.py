"""Documents that are made to hurt, or that are not what they say. Each small on disk."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import docx

from tests.corpus.documents.papers import ALL, STYLES, make_paper
from tests.corpus.documents.sheets import plain
from tests.corpus.documents.writers import pdf, text, word, workbook

ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9))
    + "]>"
)
SHEET = "xl/worksheets/sheet1.xml"
ROWS = 1_000_000
MIB = 1024 * 1024


def good_docx() -> bytes:
    return word(make_paper("plain", STYLES["plain"], 1, ALL))


def good_pdf() -> bytes:
    return pdf(make_paper("plain", STYLES["plain"], 1, ALL))


def good_text() -> bytes:
    return text(make_paper("plain", STYLES["plain"], 1, ALL))


def good_xlsx() -> bytes:
    return workbook(plain(1))


def changed(archive: bytes, member: str, content: bytes) -> bytes:
    """The archive with one member replaced or added."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != member:
                new.writestr(name, old.read(name))
        new.writestr(member, content)
    return stream.getvalue()


def zip_bomb() -> bytes:
    return changed(good_docx(), "word/media/image1.bin", bytes(120 * MIB))


def many_members() -> bytes:
    stream = io.BytesIO(good_docx())
    with zipfile.ZipFile(stream, "a") as archive:
        for at in range(3_000):
            archive.writestr(f"word/extra/{at}.xml", b"")
    return stream.getvalue()


def _with_size(archive: bytes, member: str, size: int) -> bytes:
    """The archive whose directory and local header tell another size of this member."""
    lying = bytearray(archive)
    name = member.encode()
    local, central = lying.find(name), lying.rfind(name)
    struct.pack_into("<I", lying, local - 30 + 22, size)
    struct.pack_into("<I", lying, central - 46 + 24, size)
    return bytes(lying)


def four_gigabytes_declared() -> bytes:
    return _with_size(good_xlsx(), SHEET, 0xFFFFFFF0)


def less_declared_than_held() -> bytes:
    return _with_size(changed(good_xlsx(), SHEET, b"<worksheet>" + b" " * 50 * MIB), SHEET, 1_000)


def million_rows() -> bytes:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (at, at) for at in range(1, ROWS + 1))
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return changed(good_xlsx(), SHEET, head + rows + b"</sheetData></worksheet>")


def entities_in(archive: bytes, member: str, root: str) -> bytes:
    return changed(archive, member, f"{ENTITIES}<{root}>&j;</{root}>".encode())


def bad_member_name(name: str) -> bytes:
    """A name that zipfile itself would not write is put in by bytes."""
    placeholder = "X" * len(name)
    return changed(good_docx(), placeholder, b"x").replace(placeholder.encode(), name.encode())


def huge_png(side: int = 60_000) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(side + 1), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _pdf(objects: list[bytes], trailer: bytes = b"") -> bytes:
    content, offsets = b"%PDF-1.7\n", []
    for at, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += b"%d 0 obj\n" % at + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        content
        + b"xref\n0 %d\n0000000000 65535 f \n" % size
        + table
        + (b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(content)))
    )


def stream_bomb(size: int = 300 * MIB) -> bytes:
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b" " * MIB) for _ in range(size // MIB)) + packer.flush()
    return _pdf([
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n" % len(packed) + packed + b"\nendstream",
    ])  # fmt: skip


def many_pages(count: int = 10_000) -> bytes:
    kids = b" ".join(b"%d 0 R" % at for at in range(3, count + 3))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    return _pdf(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[" + kids + b"]/Count %d>>" % count, *[page] * count]
    )


def encrypted_pdf() -> bytes:
    secret = b"<" + b"5A" * 32 + b">"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        b"<</Filter/Standard/V 1/R 2/O" + secret + b"/U" + secret + b"/P -4>>",
    ]
    return _pdf(objects, b"/Encrypt 4 0 R/ID[<00112233445566778899AABBCCDDEEFF><00112233445566778899AABBCCDDEEFF>]")


def encrypted_office() -> bytes:
    return bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(2048)


def deep_docx() -> bytes:
    """Tables in tables in tables."""
    document = docx.Document()
    cell = document.add_table(1, 1).cell(0, 0)
    for _ in range(400):
        cell = cell.add_table(1, 1).cell(0, 0)
    cell.text = "1. Deep"
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()
