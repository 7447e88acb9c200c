"""Which sentences of the material speak about a question.

A sentence counts by how much of the question it covers, each word weighed by how rare it is in the material: a word
that is in every sentence tells nothing. A mistyped word counts for the word that it resembles.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest
from typing import TypeAlias

from app.kit.words import pairs, tokens
from app.llm.port import Source
from app.llm.prompt import visible

MOST_TERMS = 48  # of a question: the rest of a very long one changes no ranking
LONGEST_QUESTION = 2000  # characters
MOST_MATERIAL = 40_000  # characters, of all sources together; a search hands over a tenth of it
LONGEST_QUOTE = 400  # characters
SHORTEST_SENTENCE = 16  # characters; "1." or "Yes." belong to what comes next

RELEVANT = 0.35  # share of the question that a sentence must cover to be worth quoting
CLOSE_TO_BEST = 0.7
RESEMBLANCE = 0.5  # of letter triples, from which on two words with the same initial are one word, mistyped
MOST_KIN = 8  # words of the material that one word of the question may stand for
SHORTEST_MISTYPED = 4  # letters; mistakes in shorter words cannot be told from other words
HEADING_WEIGHT = 0.5  # a word in the title speaks for every sentence below it, but less than a word in the sentence

_WIDE_ENDS = "。！？；"  # noqa: RUF001 - Chinese ends sentences with them, and puts no space after
_BREAKS = re.compile(rf"(?<=[.!?])\s+|(?<=[{_WIDE_ENDS}])\s*|\n+")


Kin: TypeAlias = dict[str, float]


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
    asked = list(dict.fromkeys(terms_of(question[:LONGEST_QUESTION])))[:MOST_TERMS]
    sentences = _sentences(material)
    if not asked or not sentences:
        return []
    kin = _kin(asked, frozenset().union(*(each.terms | each.heading for each in sentences)))
    weights = {term: _rarity(kin[term], sentences) for term in asked}
    scored = _without_vain_background([(_score(each, kin, weights), each) for each in sentences])
    best = scored[0][0]
    if best < RELEVANT:
        return []
    worth = [(score, each) for score, each in scored if score >= max(RELEVANT, best * CLOSE_TO_BEST)]
    return _joined(worth[:most], sentences)


def _without_vain_background(scored: list[tuple[float, _Sentence]]) -> list[tuple[float, _Sentence]]:
    """The best first. Background names what the class learns as well: it speaks where nothing else says as much."""
    ranked = sorted(scored, key=lambda pair: -pair[0])
    said = [pair for pair in ranked if not pair[1].source.background]
    return said if said and said[0][0] >= ranked[0][0] else ranked


def terms_of(text: str) -> Iterable[str]:
    for kind, token in tokens(text):
        if kind == "run":
            yield from pairs(token)
        else:
            yield token


def _sentences(material: Iterable[Source]) -> list[_Sentence]:
    found: list[_Sentence] = []
    room = MOST_MATERIAL
    for source in material:
        heading = frozenset(terms_of(f"{source.title} {source.locator or ''}"))
        for number, text in enumerate(_split(visible(source.quote[:room]))):
            found.append(_Sentence(source, number, text, frozenset(terms_of(text)), heading))
        room = max(room - len(source.quote), 0)
    return found


def _split(text: str) -> list[str]:
    parts: list[str] = []
    for part in filter(None, (piece.strip() for piece in _BREAKS.split(text))):
        # A stump is no sentence of its own; in Chinese a few characters can be one.
        if parts and parts[-1].isascii() and len(parts[-1]) < SHORTEST_SENTENCE:
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    return [piece for part in parts for piece in textwrap.wrap(part, LONGEST_QUOTE, break_on_hyphens=False)]


def _kin(asked: list[str], vocabulary: frozenset[str]) -> dict[str, Kin]:
    """For each word of the question the words of the material that stand for it, and how well."""
    by_initial: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for word in vocabulary:
        if word.isascii():
            by_initial.setdefault(word[0], []).append((word, _triples(word)))
    kin: dict[str, Kin] = {}
    for term in asked:
        kin[term] = {term: 1.0}
        if term.isascii() and len(term) >= SHORTEST_MISTYPED:
            triples = _triples(term)
            alike = ((_resemblance(triples, other), word) for word, other in by_initial.get(term[0], ()))
            kin[term] = {word: likeness for likeness, word in nlargest(MOST_KIN, alike) if likeness >= RESEMBLANCE}
    return kin


def _rarity(kin: Kin, sentences: list[_Sentence]) -> float:
    holding = sum(_match(kin, each.terms) > 0 for each in sentences)
    return math.log(1 + (len(sentences) + 1) / (holding + 0.5))


def _score(sentence: _Sentence, kin: dict[str, Kin], weights: dict[str, float]) -> float:
    covered = sum(
        weight * max(_match(kin[term], sentence.terms), HEADING_WEIGHT * _match(kin[term], sentence.heading))
        for term, weight in weights.items()
    )
    return covered / sum(weights.values())


def _match(kin: Kin, terms: frozenset[str]) -> float:
    return max((likeness for word, likeness in kin.items() if word in terms), default=0.0)


def _resemblance(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice's coefficient of two words' letter triples."""
    return 2 * len(one & other) / (len(one) + len(other))


def _triples(word: str) -> frozenset[str]:
    fenced = f"<{word}>"
    return frozenset(fenced[at : at + 3] for at in range(len(fenced) - 2))


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
        quotations.append(Quotation(sentence.source, text, score))
    return quotations
