"""About how many tokens a text is: for windows and for servers that count nothing.

No tokenizer fits every model, and theirs are downloaded at run time. English is about four characters a token, Chinese
about one, and an estimate that is a little high wastes less than one that is a little low breaks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from app.llm.port import Usage

CHARACTERS_PER_TOKEN = 3.6
PER_TURN = 4  # the frame that a chat template puts around each turn

_WIDE_FROM = "\u2e80"  # CJK and what lies above it


def estimate_tokens(text: str) -> int:
    wide = sum(1 for character in text if character >= _WIDE_FROM)
    return wide + math.ceil((len(text) - wide) / CHARACTERS_PER_TOKEN)


def estimate_usage(asked: Iterable[str], answered: str) -> Usage:
    """Of a call whose server counted nothing: the contents of its messages, and the answer."""
    return Usage(sum(PER_TURN + estimate_tokens(text) for text in asked), estimate_tokens(answered), estimated=True)
