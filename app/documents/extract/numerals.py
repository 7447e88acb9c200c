"""Numbers as documents write them: 3, iii, III, c, C, 三, ③."""

from __future__ import annotations

CHINESE_DIGITS = "零一二三四五六七八九"
ROMANS = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
CIRCLED_FIRST = ord("①")
CIRCLED_COUNT = 20
TEN = 10


def to_roman(number: int) -> str:
    text = ""
    for value, letters in ROMANS:
        while number >= value:
            text += letters
            number -= value
    return text


def to_letter(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[(number - 1) % len(letters)] * ((number - 1) // len(letters) + 1)


def to_chinese(number: int) -> str:
    tens, ones = divmod(number, TEN)
    if not 0 < number < TEN * TEN:
        return str(number)
    text = "" if tens == 0 else "十" if tens == 1 else CHINESE_DIGITS[tens] + "十"
    return text + (CHINESE_DIGITS[ones] if ones or not tens else "")


def to_circled(number: int) -> str:
    return chr(CIRCLED_FIRST + number - 1) if 0 < number <= CIRCLED_COUNT else f"({number})"


def from_chinese(text: str) -> int | None:
    """一 to 九十九, and digits."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    try:
        units = CHINESE_DIGITS.index(ones) if ones else 0
        if not ten:
            return units or None
        return (CHINESE_DIGITS.index(tens) if tens else 1) * TEN + units
    except ValueError:
        return None


def from_roman(text: str) -> int | None:
    lowered = text.lower()
    return next((number for number in range(1, 40) if to_roman(number) == lowered), None)
