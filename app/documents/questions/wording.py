"""The words of papers, in English and Chinese, and how their lines are put together again."""

from __future__ import annotations

import re

from app.documents.extract.lines import GAP, Line

FULL_WIDTH = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
WIDEST_GAP = 40  # wider ones say nothing more, and cost time
LONG_GAP = re.compile(rf"[ \u00a0\u3000\t]{{{WIDEST_GAP + 1},}}")
KEYCAP = re.compile("([0-9])\ufe0f?\u20e3\\s*")
CIRCLED = {ord("Ⓐ") + at: f"{chr(ord('A') + at)}. " for at in range(8)} | {
    ord("ⓐ") + at: f"{chr(ord('A') + at)}. " for at in range(8)
}
SPACES = {ord("\u00a0"): " ", ord("\u3000"): "  ", ord("\u2003"): "  ", ord("\u2002"): " ", ord("\t"): GAP}
WIDE = "\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uff00-\uffef\u201c\u201d\u2018\u2019\u2026\u2014"
BETWEEN_WIDE = re.compile(rf"(?<=[{WIDE}])[ ]+(?=[{WIDE}])")
FULL_LINE = 60  # characters; a line of plain text that is longer was wrapped, not ended
LONG_BLANK = 30
PAGED = (".pdf", ".png", ".jpg", ".jpeg", ".webp", ".bmp")
TYPED = (".txt", ".md", ".markdown", ".tex")
OPENS = re.compile(
    r"[（(\[]?(?:[A-Ha-h]|\d{1,2}|[ivx]{1,4})\s?[.．、)）\]:：]|[①-⑳]|[【\[]|[A-Ha-h]\s?[-–—]\s|A\d{1,3}\s?[:：]|(?:answer|ans|solution|explanation|(?:正确|参考|标准)?答案|解析|解)\b\s*[:：]|ans\.\s|(?:answer|solution|explanation|rationale|working)\s*[:：]|(?:answer|solution|explanation|rationale|working)\s[-–—]\s",
    re.IGNORECASE,
)
SHORT_BLANK = re.compile(r"[_＿]{2,29}\s*[.。?？]\s*(?:[\[(（【][^\])）】]{1,16}[\])）】])?")
ENDS = re.compile(r"[.?!:;)\]。？！：；）】]\s*$")
ANSWER_SPACE = re.compile(
    r"(?:^|\n)[^\w\n]*\w{0,3}[ :=]*(?:[.…]{6,}|[_＿]{10,})[\s._…]*(?:cm|m|kg|s|N|J|°C?)?[ ]*(?=\n|$)"
)
DOTS_AFTER = re.compile(r"\s*[.…]{8,}[\s.…]*(?=\n|$)")
BLANK_RUN = re.compile(r"(?<![“\"「_])_{2,}|﹍{2,}|＿{2,}|\.{6,}|…{3,}")


def normalise(text: str) -> str:
    """Digits and letters of one width; punctuation stays as it was written."""
    text = LONG_GAP.sub(" " * WIDEST_GAP, KEYCAP.sub(r"\1. ", text))
    return text.translate(FULL_WIDTH).translate(CIRCLED).translate(SPACES)


def joined(lines: list[Line]) -> str:
    """Lines as the text that they were before they were wrapped, with the line ends that the author meant."""
    text = ""
    before: Line | None = None
    for line in lines:
        words = line.text.strip()
        if not words or line.figure:
            continue
        text += ("" if before is None else _between(before, text, words)) + words
        before = line
    return text


def _between(before: Line, text: str, words: str) -> str:
    if SHORT_BLANK.fullmatch(words) and not ENDS.search(text):
        return " "  # the blank that ends a sentence
    name = before.file.lower()
    if name.endswith(PAGED):
        wrapped = not before.ends
    elif name.endswith(TYPED):
        wide = sum(ord(character) >= 0x2E80 for character in before.text)  # noqa: PLR2004 - where CJK begins
        wrapped = len(before.text.strip()) + wide >= FULL_LINE
    else:
        wrapped = False
    if not wrapped or OPENS.match(words) or is_blank(before.text) or _is_answer_line(text, words):
        return "\n"
    return "" if _is_wide(text[-1]) or _is_wide(words[0]) else " "


def _is_answer_line(text: str, words: str) -> bool:
    """A line to write on; a short one may be the blank with which a sentence goes on."""
    return is_blank(words) and (len(words) >= LONG_BLANK or bool(ENDS.search(text)))


def _is_wide(character: str) -> bool:
    return bool(re.match(rf"[{WIDE}]", character))


def tidy(text: str) -> str:
    """Runs of spaces become one, and none stands between Chinese characters."""
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    return BETWEEN_WIDE.sub("", "\n".join(line for line in lines if line)).strip()


def without_answer_space(text: str) -> str:
    """Without the lines that students write on; a blank within a sentence stays."""
    return DOTS_AFTER.sub("", ANSWER_SPACE.sub("", text))


def is_blank(text: str) -> bool:
    """Nothing, or only the line on which a student would write."""
    return not re.sub(r"[_＿﹍.…\s:：（）()\-—]+", "", text)
