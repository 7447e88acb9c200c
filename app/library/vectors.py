"""A text as a vector of its letters: pieces of words, hashed into a fixed number of places.

No model and no dictionary: two texts are near where they share pieces of words, so a typing mistake costs a little
instead of everything. Empty words are left out (`kit/words.py`), and a piece that comes often counts less each time.
"""

from __future__ import annotations

import math
from collections import Counter
from zlib import crc32

from app.kit.words import grams

DIMENSIONS = 384


def vector_of(text: str) -> list[float]:
    """Of length 1; all zeros for a text without a word in it."""
    places = [0.0] * DIMENSIONS
    for gram, count in Counter(grams(text)).items():
        hashed = crc32(gram.encode())
        # Half of the pieces count negatively, so that those that fall on one place by chance cancel out.
        sign = 1.0 if hashed & 0x80000000 else -1.0
        places[hashed % DIMENSIONS] += sign * (1.0 + math.log(count))
    length = math.sqrt(sum(value * value for value in places))
    return [value / length for value in places] if length else places
