"""Which sentences of the material speak about a question.

A sentence counts by how much of the question it covers, each word weighed by how rare it is in the material: a word
that is in every sentence tells nothing. A mistyped word counts for the word that it resembles.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.kit.words import pairs, tokens
from app.llm.port import Source
from app.llm.prompt import visible

MOST_TERMS = 48  # of a question: the rest of a very long one changes no ranking
MOST_SENTENCES = 400  # of all material together
LONGEST_QUOTE = 400  # characters
SHORTEST_SENTENCE = 16  # characters; "1." or "Yes." belong to what comes next

RELEVANT = 0.35  # share of the question that a sentence must cover to be worth quoting
CLOSE_TO_BEST = 0.7
RESEMBLANCE = 0.5  # of letter triples, from which on two words are one word and a typing mistake
HEADING_WEIGHT = 0.5  # a word in the title speaks for every sentence below it, but less than a word in the sentence

_WIDE_ENDS = "。！？；"  # noqa: RUF001 - Chinese ends sentences with them, and puts no space after
_BREAKS = re.compile(rf"(?<=[.!?])\s+|(?<=[{_WIDE_ENDS}])\s*|\n+")


@dataclass(frozen=True, slots=True)
class Quotation:
    """Sentences of one source, as they stand there."""

    source: Source
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class _Sentence:
    source: Source
    number: int  # within its source
    text: str
    terms: frozenset[str]
    heading: frozenset[str]


def find_quotations(question: str, material: Iterable[Source], *, most: int) -> list[Quotation]:
    """The best quotations, best first; none where nothing speaks about the question."""
    asked = list(dict.fromkeys(terms_of(question)))[:MOST_TERMS]
    sentences = _sentences(material)
    if not asked or not sentences:
        return []
    weights = {term: _rarity(term, sentences) for term in asked}
    scored = sorted(((_score(each, weights), each) for each in sentences), key=lambda pair: -pair[0])
    best = scored[0][0]
    if best < RELEVANT:
        return []
    worth = [(score, each) for score, each in scored if score >= max(RELEVANT, best * CLOSE_TO_BEST)]
    return _joined(worth[:most], sentences)


def terms_of(text: str) -> Iterable[str]:
    for kind, token in tokens(text):
        if kind == "run":
            yield from pairs(token)
        else:
            yield token


def _sentences(material: Iterable[Source]) -> list[_Sentence]:
    found: list[_Sentence] = []
    for source in material:
        heading = frozenset(terms_of(f"{source.title} {source.locator or ''}"))
        for number, text in enumerate(_split(visible(source.quote))):
            if len(found) == MOST_SENTENCES:
                return found
            found.append(_Sentence(source, number, text, frozenset(terms_of(text)), heading))
    return found


def _split(text: str) -> list[str]:
    parts: list[str] = []
    for part in filter(None, (piece.strip() for piece in _BREAKS.split(text))):
        # A stump is no sentence of its own; in Chinese a few characters can be one.
        if parts and parts[-1].isascii() and len(parts[-1]) < SHORTEST_SENTENCE:
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    return parts


def _rarity(term: str, sentences: list[_Sentence]) -> float:
    holding = sum(_match(term, each.terms) > 0 for each in sentences)
    return math.log(1 + (len(sentences) + 1) / (holding + 0.5))


def _score(sentence: _Sentence, weights: dict[str, float]) -> float:
    covered = sum(
        weight * max(_match(term, sentence.terms), HEADING_WEIGHT * _match(term, sentence.heading))
        for term, weight in weights.items()
    )
    return covered / sum(weights.values())


def _match(term: str, terms: frozenset[str]) -> float:
    if term in terms:
        return 1.0
    if not term.isascii() or len(term) < 4:  # noqa: PLR2004 - too short to be mistyped recognisably
        return 0.0
    return max((_resemblance(term, each) for each in terms if each.isascii()), default=0.0)


def _resemblance(one: str, other: str) -> float:
    """Dice's coefficient of the two words' letter triples, 0 below the point where they are different words."""
    if one[0] != other[0] or abs(len(one) - len(other)) > 4:  # noqa: PLR2004 - a longer ending is another word
        return 0.0
    first, second = _triples(one), _triples(other)
    alike = 2 * len(first & second) / (len(first) + len(second))
    return alike if alike >= RESEMBLANCE else 0.0


def _triples(word: str) -> set[str]:
    fenced = f"<{word}>"
    return {fenced[at : at + 3] for at in range(len(fenced) - 2)}


def _joined(worth: list[tuple[float, _Sentence]], sentences: list[_Sentence]) -> list[Quotation]:
    """One quotation a sentence; a short one takes the next sentence along, which often finishes the thought."""
    by_place = {(id(each.source), each.number): each for each in sentences}
    quotations: list[Quotation] = []
    used: set[tuple[int, int]] = set()
    for score, sentence in worth:
        place = (id(sentence.source), sentence.number)
        if place in used:
            continue
        used.add(place)
        text, following = sentence.text, by_place.get((place[0], place[1] + 1))
        if following is not None and len(text) + len(following.text) < LONGEST_QUOTE // 2:
            used.add((place[0], following.number))
            text = f"{text}{following.text}" if text[-1] in _WIDE_ENDS else f"{text} {following.text}"
        quotations.append(Quotation(sentence.source, _shortened(text), score))
    return quotations


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1].rstrip()}…"
