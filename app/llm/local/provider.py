"""From quotations to an answer, streamed like any other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import replace

from app.kit.words import language_of
from app.llm.local.frames import FRAMES, Frames
from app.llm.local.passages import Quotation, find_quotations, terms_of
from app.llm.port import Delta, Finished, Question, Source
from app.llm.prompt import in_line
from app.llm.tokens import estimate_tokens, estimate_usage

MODEL = "local-extractive"
MOST_QUOTATIONS = 3
FEW_TERMS = 2  # "And why?" says little by itself: the question before it says what it is about

_PIECES = re.compile(r"\S{1,12}\s*|\s+")


class LocalProvider:
    """Needs no key, no network and no model."""

    name = "local"

    async def answer(self, question: Question) -> AsyncGenerator[Delta | Finished, None]:
        text, sources = _compose(question)
        for piece in _PIECES.findall(text):
            yield Delta(piece)
            await asyncio.sleep(0)  # a cancel is heard between two pieces
        material = (source.quote for source in question.material)
        usage = estimate_usage([question.user, *material], text)
        yield Finished(text=text, sources=sources, usage=usage, model=MODEL, finish_reason="stop")

    async def close(self) -> None:
        """Nothing is open."""


def _compose(question: Question) -> tuple[str, tuple[Source, ...]]:
    frames = FRAMES[question.language or language_of(question.user)]
    if not question.material:
        return frames.no_material, ()
    found = find_quotations(_asked(question), question.material, most=MOST_QUOTATIONS)
    while found and estimate_tokens(_written(found, frames)) > question.max_output_tokens:
        found.pop()
    if not found:
        return frames.nothing_found, ()
    return _written(found, frames), tuple(replace(each.source, quote=each.text) for each in found)


def _asked(question: Question) -> str:
    earlier = [turn.content for turn in question.history if turn.role == "user"]
    if earlier and len(set(terms_of(question.user))) < FEW_TERMS:
        return f"{question.user}\n{earlier[-1]}"
    return question.user


def _written(found: list[Quotation], frames: Frames) -> str:
    quotes = [f"> {each.text} [{number}]" for number, each in enumerate(found, 1)]
    places = [f"[{number}] {_place(each.source)}" for number, each in enumerate(found, 1)]
    return "\n\n".join([frames.opening, *quotes, "\n".join(places), frames.closing])


def _place(source: Source) -> str:
    where = f" · {in_line(source.locator)}" if source.locator else ""
    return f"{in_line(source.title)}{where}"
