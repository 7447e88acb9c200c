"""A model fills what the rules left open, and checks what they read. It never has the last word.

What the document states stays as it was read, whatever the model says: where they differ a person is asked to look.
Answers and marks are only ever checked. A model that knows the answer is not a document that states it, so what the
rules found none for stays null. The text of documents goes to the model as material, never as instructions, and what
comes back is cut to size before it is kept. A model that fails leaves the draft as the rules made it, and a warning.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import text

from app.documents.values import QuestionType
from app.engine.context import JobContext
from app.kit.logging import get_logger
from app.llm.port import Extractor, Language, Provider, ProviderError, Shape, Source, Usage
from app.llm.prompt import LANGUAGES, visible
from app.workloads.uploads.labels import LONGEST_POINT, Level
from app.workloads.uploads.parsing import Work

BATCH_QUESTIONS = 20
BATCH_CHARACTERS = 12_000  # of material in one call; what a small model still reads with care
LONGEST_QUESTION = 2_000
MOST_CALLS = 15
PATIENCE = 240.0  # seconds for all calls of one parse, and for waiting its turn before each
MOST_POINTS = 5
LONG_ANSWER = 4  # letters from which an answer within a longer one is the same, said at more length
DOUBTFUL = 0.6  # the confidence, at most, of a question that the model reads otherwise

Opening = Literal["type", "difficulty", "knowledge_points"]
CHOICES = frozenset({"single", "multiple", "true_false"})

TASK = """\
The material is the questions of one paper, a passage each; its title is the question's id. For each passage give:
- question_id: the passage's title.
- knowledge_points: 1 to 3 short names of what the question tests, in the language of the passage.
- difficulty: basic, medium, advanced or challenge, for the class that the paper is meant for.
- type: single, multiple, true_false, blank, short, essay or calculation.
- answer: the answer key as the passage itself states it; null where it states none. Do not solve the question.
- score: the marks as the passage itself states them; null where it states none.
The first three are your own judgement; answer and score are only what is written."""

_LANGUAGES: Mapping[str, Language] = {"en": "en", "zh": "zh"}  # `auto`: the model sees it

Turn = Callable[[], AbstractAsyncContextManager[None]]

log = get_logger(__name__)


class QuestionAdvice(BaseModel):
    """What a model says about one question."""

    question_id: str
    knowledge_points: list[str] = Field(default_factory=list)
    difficulty: Level | None = None
    type: QuestionType | None = None
    answer: str | None = None
    score: float | None = None


class PaperAdvice(BaseModel):
    """What a model says about the questions of a paper."""

    questions: list[QuestionAdvice]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the rules read it, and what they left open."""

    question_id: str
    text: str  # as it stands in the document, or put together again from its parts
    where: str
    type: QuestionType
    answer: str | None
    score: float | None
    open: frozenset[Opening]


@dataclass(frozen=True, slots=True)
class Advice:
    """What to take over into the open fields, and in what the model reads the document otherwise."""

    filled: dict[Opening, Any]
    doubts: tuple[str, ...]


class Filler:
    """One parse's conversation with a model, within its bounds; `used` sums up what it cost."""

    def __init__(self, provider: Extractor, name: str, language: Language | None, turn: Turn) -> None:
        self._provider = provider
        self._turn = turn
        self._told = f"\n{LANGUAGES[language]}" if language is not None else ""
        self.name = name
        self.model: str | None = None
        self.used = Usage(0, 0)
        self.calls = 0
        self.failure: str | None = None
        self._deadline = asyncio.get_running_loop().time() + PATIENCE

    async def ask(self, shape: type[Shape], *, task: str, material: Sequence[Source]) -> Shape | None:
        """The filled form; None where there is none to be had, now or for the rest of this parse."""
        if self.failure is not None:
            return None
        if self.calls >= MOST_CALLS:
            self.failure = f"the document needs more than {MOST_CALLS} calls"
            return None
        self.calls += 1
        waiting = True
        try:
            async with asyncio.timeout_at(self._deadline), self._turn():
                waiting = False
                extracted = await self._provider.extract(shape, task=task + self._told, material=tuple(material))
        except TimeoutError:
            late = "was not free for it" if waiting else "did not answer"
            self.failure = f"it {late} within {PATIENCE:.0f} seconds"
            return None
        except ProviderError as error:
            self.failure = str(error)
            return None
        self.model = extracted.model
        self.used = Usage(
            self.used.input_tokens + extracted.usage.input_tokens,
            self.used.output_tokens + extracted.usage.output_tokens,
            self.used.estimated or extracted.usage.estimated,
        )
        return extracted.value

    def warnings(self) -> list[dict[str, Any]]:
        """That it failed, where it did: the draft is the rules' own from there on."""
        if self.failure is None:
            return []
        log.warning("a model left a draft unfilled", model=self.model, reason=self.failure)
        return [notice("model_unavailable", f"The model filled no more of the draft: {self.failure[:300]}")]


@asynccontextmanager
async def filling(work: Work) -> AsyncIterator[Filler | None]:
    """A filler, where the tenant is answered by a model that fills in forms; what it cost is kept with the job."""
    async with work.model() as provider:
        if not isinstance(provider, Extractor):
            yield None
            return
        filler = Filler(provider, _name(provider), _LANGUAGES.get(work.form["language"]), work.turn)
        try:
            yield filler
        finally:
            if filler.used.input_tokens:
                await _keep_usage(work.ctx, filler)


async def advise(filler: Filler, questions: Sequence[Asked]) -> dict[str, Advice]:
    """Advice by question id, for as many questions as the model got to."""
    advised: dict[str, Advice] = {}
    for batch in batches(questions):
        told = await filler.ask(PaperAdvice, task=TASK, material=[_source(question) for question in batch])
        if told is None:
            break
        known = {question.question_id: question for question in batch}
        for each in told.questions:
            question = known.pop(each.question_id, None)  # what it says twice, or of questions that are not there, goes
            if question is not None:
                advised[question.question_id] = weigh(question, each)
    return advised


def batches(questions: Sequence[Asked]) -> Iterator[list[Asked]]:
    """The questions in groups that one call can hold."""
    gathered: list[Asked] = []
    room = BATCH_CHARACTERS
    for question in questions:
        cost = min(len(question.text), LONGEST_QUESTION)
        if gathered and (len(gathered) == BATCH_QUESTIONS or cost > room):
            yield gathered
            gathered, room = [], BATCH_CHARACTERS
        gathered.append(question)
        room -= cost
    if gathered:
        yield gathered


def weigh(question: Asked, told: QuestionAdvice) -> Advice:
    """What of the advice counts: it fills open fields, and raises doubts about the others."""
    filled: dict[Opening, Any] = {}
    points = clean_points(told.knowledge_points)
    if "knowledge_points" in question.open and points:
        filled["knowledge_points"] = points
    if "difficulty" in question.open and told.difficulty is not None:
        filled["difficulty"] = told.difficulty
    if "type" in question.open and told.type is not None and told.type not in CHOICES:
        filled["type"] = told.type  # a choice without options to choose from is none
    return Advice(filled, tuple(_doubts(question, told)))


def clean_points(points: Sequence[str]) -> list[str]:
    """Short names in one line each; what is no name is left out."""
    named = (one_line(point) for point in points)
    return list(dict.fromkeys(point for point in named if 1 < len(point) <= LONGEST_POINT))[:MOST_POINTS]


def one_line(text_of_model: str) -> str:
    """Without line ends, and without what is not seen. Whoever shows it, or tells a model of it, encloses it."""
    return " ".join(visible(text_of_model).split())


def notice(code: str, detail: str, question_id: str | None = None) -> dict[str, Any]:
    return {"code": code, "detail": visible(detail), "file": None, "page": None, "question_id": question_id}


def doubts_of(advised: dict[str, Advice]) -> list[dict[str, Any]]:
    """A warning for each thing that the model reads otherwise."""
    return [
        notice("model_disagrees", doubt, question_id)
        for question_id, advice in advised.items()
        for doubt in advice.doubts
    ]


def _doubts(question: Asked, told: QuestionAdvice) -> Iterator[str]:
    differs = told.type is not None and told.type != question.type and {told.type, question.type} & CHOICES
    if "type" not in question.open and differs:
        yield f"It was read as {question.type}; the model takes it for {told.type}."
    if question.answer is not None and told.answer and not _same(question.answer, told.answer):
        yield f"The answer was read as “{question.answer[:60]}”; the model reads “{told.answer[:60]}”."
    if question.score is not None and told.score is not None and told.score != question.score:
        yield f"The marks were read as {question.score:g}; the model reads {told.score:g}."


def _same(one: str, other: str) -> bool:
    """Whether two answers are one, but for spaces, punctuation and case: B and "B. Mercury" are."""
    first, second = (re.sub(r"[\W_]+", "", answer).casefold() for answer in (one, other))
    if re.fullmatch(r"[A-H]+", one):
        return bool(re.match(rf"\W*{'[^a-z]*'.join(one)}\b", other, re.IGNORECASE)) or sorted(second) == sorted(first)
    shorter, longer = sorted((first, second), key=len)
    return shorter == longer or (len(shorter) >= LONG_ANSWER and shorter in longer)


def _source(question: Asked) -> Source:
    return Source(question.question_id, question.question_id, question.text[:LONGEST_QUESTION], question.where)


def _name(provider: Provider | Extractor) -> str:
    return str(getattr(provider, "name", type(provider).__name__))


async def _keep_usage(ctx: JobContext, filler: Filler) -> None:
    values = {
        "tenant_id": ctx.tenant_id,
        "job_id": UUID(ctx.job_id),
        "attempt": ctx.attempt,
        "provider": filler.name,
        "model": filler.model,
        "input_tokens": filler.used.input_tokens,
        "output_tokens": filler.used.output_tokens,
        "estimated": filler.used.estimated,
    }
    async with ctx.session() as session:
        await session.execute(_KEEP_USAGE, values)


_KEEP_USAGE = text(
    """
    insert into llm_usage (tenant_id, job_id, attempt, provider, model, input_tokens, output_tokens, estimated)
    values (:tenant_id, :job_id, :attempt, :provider, :model, :input_tokens, :output_tokens, :estimated)
    on conflict do nothing
    """
)
