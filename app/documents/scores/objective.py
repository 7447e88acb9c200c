"""Marks for chosen letters: all when they are the key's, half for a part of them without a wrong one, else none."""

from __future__ import annotations

import re

TRUE = {"T", "TRUE", "√", "✓", "✔", "对", "正确", "是", "YES", "RIGHT", "CORRECT"}
FALSE = {"F", "FALSE", "×", "✗", "✘", "错", "错误", "否", "NO", "WRONG", "INCORRECT"}
LETTERS = re.compile(r"[A-H](?:[\s,，、;；/]*[A-H])*")


def score_objective(answer: str | None, key: str, max_score: float) -> float:
    """What a student gets for this answer; an empty one gets nothing."""
    chosen, right = _meaning(answer or ""), _meaning(key)
    if not chosen or not right:
        return 0.0
    if chosen == right:
        return max_score
    strictly_part = len(right) > 1 and chosen < right
    return max_score / 2 if strictly_part else 0.0


def is_objective(key: str) -> bool:
    """Whether letters, or true and false, are the whole answer: with a worked one, letters cannot be compared."""
    text = _bare(key)
    return text in TRUE | FALSE or bool(LETTERS.fullmatch(text))


def _bare(answer: str) -> str:
    return answer.strip().upper().strip("()（）[]【】.。 ")


def _meaning(answer: str) -> frozenset[str]:
    text = _bare(answer)
    if text in TRUE:
        return frozenset({"true"})
    if text in FALSE:
        return frozenset({"false"})
    if LETTERS.fullmatch(text):
        return frozenset(re.findall("[A-H]", text))
    return frozenset({" ".join(text.split())}) if text else frozenset()
