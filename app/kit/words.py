"""What a text is about: its words without the empty ones, for search. English and Chinese; other scripts by letters.

Chinese has no spaces, so a run of it counts by its neighbouring pairs of characters. Texts and questions go through the
same functions, so it does not matter that a pair is now and then no word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

# Han, kana and hangul: written without spaces, or with endings that pairs of characters see through.
_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKENS = re.compile(rf"[{_WIDE}]+|[^\W_{_WIDE}]+")
_IS_WIDE = re.compile(f"[{_WIDE}]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_MARKS = re.compile("[\u0300-\u036f]")

_EMPTY_ENGLISH = """
a about above after again all also am an and any are as at be because been before being below between both but by can
could did do does doing down during each few for from further give had has have having he help her here hers him his how
i if in into is it its just know let like may me might mine more most much my no nor not now of off on once only or
other our out over own please same say says she should show so some such tell than that the their them then there these
they this those through to too under until up us use very want was we were what when where which while who whom why will
with would you your explain describe mean means question answer s t d ll m re ve
"""
_EMPTY_CHINESE = """
请问 请 什么 什么是 为什么 怎么 怎么样 怎样 如何 哪些 哪个 哪里 哪儿 多少 几个 是不是 是否 能不能 可以 可不可以
告诉我 帮我 解释 说明 介绍 一下 一个 有没有 有哪些 有什么 是什么 我们 你们 他们 它们 这个 那个 这些 那些
因为 所以 但是 如果 以及 或者 还是 并且 而且 关于 意思 的话 我 你 您 他 她 它 的 了 吗 呢 吧 啊 呀 是 在 和
与 及 把 被 让 给 对 就 都 也 还 很 这 那 有 会 要 想
"""
_EMPTY = frozenset(_EMPTY_ENGLISH.split())
# Longest first, so that a longer phrase is not broken by a shorter one inside it.
_EMPTY_WIDE = re.compile("|".join(sorted(_EMPTY_CHINESE.split(), key=len, reverse=True)))


def fold(text: str) -> str:
    """One spelling for what reads the same: width, case and accents do not count."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", _MARKS.sub("", spread))


def tokens(text: str) -> Iterator[tuple[Literal["word", "run"], str]]:
    """The words with a meaning, and the runs of a script without spaces, in the order of the text."""
    for found in _TOKENS.finditer(fold(text)):
        token = found.group()
        if _IS_WIDE.match(token):
            yield from (("run", part) for part in _EMPTY_WIDE.split(token) if part)
        elif token not in _EMPTY:
            yield "word", token


def pairs(run: str) -> list[str]:
    """The neighbouring pairs of a run; a single character stands for itself."""
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def grams(text: str) -> Iterator[str]:
    """Pieces that survive a typing mistake: of a word its threes and fours, of a run its characters and pairs."""
    for kind, token in tokens(text):
        if kind == "run":
            yield from token
            yield from pairs(token) if len(token) > 1 else ()
            continue
        fenced = f"<{token}>"
        yield fenced
        for size in (3, 4):
            yield from (fenced[at : at + size] for at in range(len(fenced) - size + 1) if size < len(fenced))


def language_of(text: str) -> Literal["en", "zh"]:
    """Chinese where a good part of the letters is; an English word in it changes nothing."""
    letters = sum(character.isalpha() for character in text)
    return "zh" if len(_HAN.findall(text)) * 4 > letters else "en"
