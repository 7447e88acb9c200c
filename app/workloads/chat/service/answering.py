"""Answer one turn: what is known of it in one look, then the model's words as they come."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import NamedTuple
from uuid import UUID

from app.engine.context import JobContext
from app.engine.outcomes import Done, Fail, Retry
from app.library.search import Search
from app.llm.port import (
    Delta,
    Finished,
    Provider,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Question,
    Source,
)
from app.workloads.chat import store
from app.workloads.chat.schemas import ChatRequest
from app.workloads.chat.service.deltas import Deltas
from app.workloads.chat.service.draft import Draft
from app.workloads.chat.service.material import find_material
from app.workloads.chat.service.past import MOST_TURNS, recall
from app.workloads.chat.service.prompts import TUTORS
from app.workloads.chat.store import Agent, OpenTurn, Said
from app.workloads.chat.tools import Tools

LONGEST_WAIT = 10.0  # seconds that a busy provider may ask for: the lane waits with its turn


class Known(NamedTuple):
    """What one look into the tenant's data gave."""

    asked: OpenTurn
    agent: Agent
    past: Sequence[Said]
    material: tuple[Source, ...]


async def answer(ctx: JobContext, tools: Tools) -> Done:
    known = await look_up(ctx, tools.search)
    async with tools.models.lend(ctx.tenant_id) as provider:
        draft = Draft(ctx, known.asked, known.agent, provider.name)
        ctx.keep_when_cancelled(draft.cancelled)
        try:
            return await write(ctx, provider, known, draft)
        except ProviderError as error:
            await note_spent(ctx, draft)
            raise outcome_of(error) from error


async def look_up(ctx: JobContext, search: Search) -> Known:
    async with ctx.connection() as connection:
        found = await store.read_turn(connection, ctx.tenant_id, UUID(ctx.job_id), most=MOST_TURNS)
        if found is None:
            raise Fail("turn_deleted", "The session of this turn was deleted.")
        asked, past = found
        request = ChatRequest.model_validate(ctx.input)
        agent: Agent | None = TUTORS[request.role]
        if request.agent is not None:
            agent = await store.read_agent(connection, ctx.tenant_id, request.agent)
        if agent is None:
            raise Fail("unknown_agent", f"The agent {request.agent} is there no more.")
        return Known(asked, agent, past, await find_material(connection, ctx.tenant_id, request, past, search))


async def write(ctx: JobContext, provider: Provider, known: Known, draft: Draft) -> Done:
    """The reply, told while it is written."""
    history, cost = await recall(ctx, provider, known.asked, known.past)
    agent = known.agent
    question = Question(
        system=agent.prompt,
        user=known.asked.content,
        history=history,
        material=known.material,
        model=agent.model,
        temperature=agent.temperature,
        max_output_tokens=agent.max_output_tokens,
    )
    draft.begin(question, cost)
    deltas = Deltas(ctx)
    async with deltas.flowing(), aclosing(provider.answer(question)) as pieces:
        async for piece in pieces:
            match piece:
                case Delta():
                    deltas.add(draft.add(piece.text))
                case Finished():
                    return draft.done(piece)
    raise ProviderUnavailable("The provider's reply ended without its end.")


async def note_spent(ctx: JobContext, draft: Draft) -> None:
    """A delivery that broke off has cost something too."""
    if draft.text:
        row = draft.usage_row(draft.spent(), None) | {"job_id": UUID(ctx.job_id)}
        async with ctx.connection() as connection:
            await store.keep_usage(connection, ctx.tenant_id, *row.values())


def outcome_of(error: ProviderError) -> Exception:
    match error:
        case ProviderRefused():
            return Fail(error.code, error.detail)
        case ProviderBusy(retry_after=float() | int() as advice):
            return Retry(error.detail, delay=min(float(advice), LONGEST_WAIT), code="provider_busy")
        case ProviderBusy():
            return Retry(error.detail, code="provider_busy")
        case _:
            return Retry(str(error), code="provider_unavailable")
