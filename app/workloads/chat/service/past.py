"""What a model is told of the past: the latest turns in full, those before them as a summary that is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.engine.context import JobContext
from app.kit.logging import get_logger
from app.llm.port import Finished, Provider, ProviderError, Question, Source, Turn, Usage
from app.llm.tokens import estimate_tokens
from app.workloads.chat import store
from app.workloads.chat.service.prompts import SUM_UP, SUMMARIST
from app.workloads.chat.store import OpenTurn, Said

WINDOW = 3000  # tokens of turns that are told in full
KEPT = 1500  # tokens that stay when the window is full, so that not every turn afterwards has to sum up
SUMMARY_TOKENS = 400
SUMMARY_CHARACTERS = 2000
MOST_TURNS = 200  # that are looked at: more would be more than the window holds in any case

_SENTENCE_END = re.compile(r"(?<=[.!?])\s|(?<=[\u3002\uff01\uff1f])|\n")
_LINE_CHARACTERS = 160

log = get_logger(__name__)


def tokens_of(said: Said) -> int:
    return estimate_tokens(said.question) + estimate_tokens(said.reply)


def divide(past: Sequence[Said], *, window: int = WINDOW, kept: int = KEPT) -> tuple[Sequence[Said], Sequence[Said]]:
    """What falls out of the window, and what stays: nothing falls out while all of it fits."""
    sizes = [tokens_of(said) for said in past]
    if sum(sizes) <= window:
        return (), past
    room, first = kept, len(past)
    while first > 0 and sizes[first - 1] <= room:
        first -= 1
        room -= sizes[first]
    return past[:first], past[first:]


async def recall(
    ctx: JobContext, provider: Provider, asked: OpenTurn, past: Sequence[Said]
) -> tuple[tuple[Turn, ...], Usage]:
    """The history of a question. What falls out of the window is summed up here, once, and kept with the session."""
    fallen, told = divide(past)
    summary, usage = asked.summary, Usage(0, 0)
    if fallen:
        summary, usage = await sum_up(provider, asked.summary, fallen)
        async with ctx.connection() as connection:
            through, after = fallen[-1].turn, asked.summary_through
            await store.keep_summary(connection, ctx.tenant_id, asked.lane_id, summary, through=through, after=after)
    early = (Turn("system", summary),) if summary else ()
    turns = (turn for said in told for turn in (Turn("user", said.question), Turn("assistant", said.reply)))
    return (*early, *turns), usage


async def sum_up(provider: Provider, before: str | None, fallen: Sequence[Said]) -> tuple[str, Usage]:
    """The provider's own words where it has some; else what was said, cut short. Never more than the bound."""
    if provider.name != "local":
        try:
            summary, usage = await _asked_for(provider, before, fallen)
            if summary.strip():
                return summary.strip()[:SUMMARY_CHARACTERS], usage
        except ProviderError as error:
            log.warning("the past was cut short instead of summed up", error=str(error))
    return extract(before, fallen), Usage(0, 0)


def extract(before: str | None, fallen: Sequence[Said]) -> str:
    """A line for each turn; the oldest lines go first where all of them are too many."""
    lines = (before or "").splitlines()
    lines += [f"- {_first_words(said.question)} → {_first_words(said.reply)}" for said in fallen]
    while len(lines) > 1 and sum(len(line) + 1 for line in lines) > SUMMARY_CHARACTERS:
        lines.pop(0)
    return "\n".join(lines)[:SUMMARY_CHARACTERS]


def _first_words(text: str) -> str:
    sentence = _SENTENCE_END.split(text.strip(), maxsplit=1)[0]
    return sentence if len(sentence) <= _LINE_CHARACTERS else sentence[: _LINE_CHARACTERS - 1] + "…"


async def _asked_for(provider: Provider, before: str | None, fallen: Sequence[Said]) -> tuple[str, Usage]:
    """What was said goes as material: data, whatever stands in it."""
    earlier = [Source("summary", "Minutes so far", before)] if before else []
    turns = [
        Source(f"turn-{said.turn}", f"Turn {said.turn}", f"User: {said.question}\nTutor: {said.reply}")
        for said in fallen
    ]
    question = Question(
        system=SUMMARIST,
        user=SUM_UP,
        material=(*earlier, *turns),
        temperature=0.0,
        max_output_tokens=SUMMARY_TOKENS,
    )
    async for piece in provider.answer(question):
        if isinstance(piece, Finished):
            return piece.text, piece.usage
    return "", Usage(0, 0)
