"""Bytes to text. Chinese schools still save GBK; whoever saves UTF-16 says so in the first two bytes."""

from __future__ import annotations

import unicodedata

UTF16 = (b"\xff\xfe", b"\xfe\xff")
ENCODINGS = ("utf-8-sig", "gb18030", "cp1252")
CONTROLS = {code: None for code in range(32) if code not in (9, 10, 13)} | {0xFEFF: None, 0xAD: None, 0x200B: None}
ODD_SHARE = 0.02


def decode(content: bytes) -> str:
    """The text, without control characters, with line ends as one kind."""
    text = content.decode("utf-16", "replace") if content[:2] in UTF16 else _first_that_fits(content)
    return text.translate(CONTROLS).replace("\r\n", "\n").replace("\r", "\n")


def _first_that_fits(content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "gb18030" or _looks_chinese(text):
            return text
    return content.decode("latin-1")


def _looks_chinese(text: str) -> bool:
    """Almost any byte string is valid GB18030; Western text read so has a few rare characters among Latin letters."""
    beyond = [character for character in text if ord(character) > 0x7F]  # noqa: PLR2004 - the end of ASCII
    if not beyond:
        return True
    odd = sum(unicodedata.category(character) in {"Co", "Cn", "Cs"} for character in beyond)
    common = sum("\u4e00" <= character <= "\u9fff" or "\u3000" <= character <= "\u303f" for character in beyond)
    fullwidth = sum("\uff00" <= character <= "\uffef" for character in beyond)
    return odd <= len(beyond) * ODD_SHARE and common + fullwidth >= len(beyond) * 0.5
