"""Signs in a question that a part of it was taken for something else. Where one shows, a person is asked to look."""

from __future__ import annotations

import re

from app.documents.questions.options import TASK as ASKS
from app.documents.values import Option

DOUBT = 0.65
FORMULA = re.compile(r"\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL)
MARKUP = re.compile(
    r"\\$|\\[a-zA-Z]{2,}|</?[a-z]{1,10}[^>\n]{0,40}>|\{\{|\}\}|&[a-z]{2,8};|\*\*\S|^#{1,6}\s", re.MULTILINE
)
LEFT_LABEL = re.compile(
    r"(?:答案|解析|难度|知识点)\s*[:：]|\banswers?\s*(?:is|are|key)?\s*:|\bmarks?\s+\d|\bout\s+of\s+\d+(?:\.\d+)?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
LEFT_ANSWER = re.compile(
    r"^[ \t]*(?:ans(?:wer)?s?\b|key\b|A\d{1,3}(?=\s*[:：.)]))\s*[-–—.:：()（）]", re.IGNORECASE | re.MULTILINE
)
LEFT_LETTERS = re.compile(r"^[A-D]\W{0,3}\S", re.MULTILINE)
LEFT_CIRCLES = re.compile(r"①.{0,30}②.{0,30}③")
TASK = re.compile(r"[?？_=+×÷*/<>^√]|[（(]\s*[）)]|\d\s*[-–]\s*\d|[.。]$")
NEXT_QUESTION = re.compile(r"(?:^|\s)\d{1,3}(?:[．、]\s*(?=[\u4e00-\u9fffA-Z])|\.\s+(?=[A-Z])).{6,}")
LEFT_POINTS = re.compile(
    r"[（(\[【]\s*(?:/\s*\d{1,2}|\d{1,2}\s*/\s*\d{1,2}|_+\s*/\s*\d{1,2}|\d{1,2}\s?[a-zA-Z]{1,6}\.?)\s*[)）\]】]\s*$"
)
BOXED = re.compile(r"^【[^】]{1,8}】")
ENDS_ASKING = re.compile(r"[?？:：]\s*$|[（(]\s*[）)][。.]?\s*$")
NUMBERED = re.compile(r"^\s*[（(]?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4}|[①-⑳])\s?[.、．)）:：]")
SHORT, FEWEST, MOST = 48, 3, 6


def doubt(stem: str, options: list[Option], *, points_known: bool) -> float:
    """By how much less sure one is of this question."""
    texts = [FORMULA.sub("", text) for text in (stem, *(option.text for option in options))]
    odd = any(MARKUP.search(text) or LEFT_LABEL.search(text) for text in texts)
    odd = odd or any(LEFT_ANSWER.search(text) for text in texts) or any(text[:1] in "-–—" for text in texts[1:] if text)
    odd = odd or any(NEXT_QUESTION.search(text) for text in texts[1:])
    odd = odd or (not options and (_has_letters(stem) or bool(LEFT_CIRCLES.search(stem))))
    odd = odd or bool(BOXED.match(stem)) or (not points_known and bool(LEFT_POINTS.search(texts[0])))
    return DOUBT if odd or (not options and _may_hold_options(stem)) or _is_several(stem) else 1.0


def looks_like_options(parts: list[str]) -> bool:
    """Parts that are a few words each and ask for nothing: rather what is chosen from."""
    return len(parts) >= FEWEST and all(
        0 < len(part) <= SHORT and not TASK.search(part) and not ASKS.search(part) for part in parts
    )


def _has_letters(stem: str) -> bool:
    """A and B at the starts of lines, though no options were found."""
    starts = {found.group()[0] for found in LEFT_LETTERS.finditer(stem) if not found.group()[1:2].isalnum()}
    return {"A", "B", "C"} <= starts


def _may_hold_options(stem: str) -> bool:
    """A question, and then a few short lines that nothing marks: they may be what is chosen from."""
    lines = stem.split("\n")
    asked = next((at for at, line in enumerate(lines) if ENDS_ASKING.search(line)), None)
    following = lines[asked + 1 :] if asked is not None else []
    return FEWEST <= len(following) <= MOST and all(
        len(line) <= SHORT and not NUMBERED.match(line) and not line.rstrip().endswith((".", "。", "?", "？"))
        for line in following
    )


def _is_several(stem: str) -> bool:
    """A later line that is numbered as questions are, though its number is not the next: perhaps one was overlooked."""
    numbers = [
        int(found[1]) for line in stem.split("\n") if (found := re.match(r"^\s*(\d{1,3})[.．、](?!\d)\s*\S", line))
    ]
    return bool(numbers) and numbers != list(range(1, len(numbers) + 1))
