"""Raised and lowered text in one line: 10³ is not 103, and H₂O is what it says."""

from __future__ import annotations

RAISED = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
ORDINALS = {"st", "nd", "rd", "th"}


def raised(text: str) -> str:
    """x² where every character has its small form, else x^(k+1)."""
    return text if text.strip().lower() in ORDINALS else _small(text, RAISED, "^")


def lowered(text: str) -> str:
    return _small(text, LOWERED, "_")


def bracketed(text: str) -> str:
    """Whatever is more than one word or number, in brackets."""
    return text if not text or text.isalnum() else f"({text})"


def _small(text: str, forms: dict[int, int], sign: str) -> str:
    stripped = text.strip()
    if all(ord(character) in forms for character in stripped):
        return text.translate(forms)
    return f"{sign}{bracketed(stripped)}"
