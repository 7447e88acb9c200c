"""An OpenAI-compatible server answers: what is sent to it, what comes back, and how a call ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest
import pytest_asyncio

from app.llm import compatible
from app.llm.compatible import CompatibleProvider
from app.llm.port import Delta, Source, Turn
from app.llm.providers import Providers
from tests.support.asking import ask, config_for, provider_for, question
from tests.support.provider import MODEL, ScriptedProvider, Step, serve_provider
from tests.support.waiting import eventually

MATERIAL = (
    Source("lesson:1#1", "Fractions", "A fraction is a part of a whole.", "What a fraction is"),
    Source("lesson:1#2", "Fractions", "The numerator stands above the line."),
)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as running:
        yield running


@pytest_asyncio.fixture
async def provider(server: ScriptedProvider) -> AsyncIterator[CompatibleProvider]:
    made = provider_for(server)
    yield made
    await made.close()


async def test_an_answer_comes_in_pieces_and_ends_with_the_whole(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(text="A fraction is a part of a whole, cut into equal pieces.", piece=10))
    deltas, finished = await ask(provider, question())
    assert len(deltas) == 6
    assert "".join(deltas) == finished.text == "A fraction is a part of a whole, cut into equal pieces."
    assert finished.finish_reason == "stop"
    assert finished.model == MODEL
    assert finished.usage.output_tokens == 12
    assert finished.usage.input_tokens > 0
    assert not finished.usage.estimated


async def test_the_first_piece_is_there_while_the_server_still_writes(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(text="first second", piece=6, after=1, end="stall"))
    async with aclosing(provider.answer(question())) as items:
        assert await anext(items) == Delta("first ")
        assert server.calls[-1].outcome == "running"


async def test_what_is_sent_is_what_was_asked_for(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    asked = question(model="other-model", temperature=0.3, max_output_tokens=77, history=(Turn("user", "Hello."),))
    await ask(provider, asked)
    call = server.calls[-1]
    assert call.headers["authorization"] == "Bearer test-key"
    sent = {name: call.body[name] for name in ("model", "temperature", "max_tokens", "stream")}
    assert sent == {"model": "other-model", "temperature": 0.3, "max_tokens": 77, "stream": True}

    await ask(provider, question())
    assert server.calls[-1].body["model"] == "test-model"
    assert "temperature" not in server.calls[-1].body


async def test_the_sources_are_those_that_the_answer_names(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(text="The numerator stands above [2], says the book [7]."))
    _, finished = await ask(provider, question(material=MATERIAL))
    assert finished.sources == (MATERIAL[1],)


async def test_a_server_that_counts_nothing_is_estimated(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(text="x" * 360, usage=False))
    _, finished = await ask(provider, question())
    assert finished.usage.estimated
    assert finished.usage.output_tokens == 100


async def test_a_server_that_lingers_after_the_last_word_keeps_nobody_waiting_for_its_count(
    server: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compatible, "LINGER", 0.2)  # the test has less time than a reader
    provider = provider_for(server, first_token_timeout=600, timeout=600)
    server.script(Step(text="All is said.", end="linger"))
    _, finished = await ask(provider, question())
    assert finished.text == "All is said."
    assert finished.usage.estimated
    await provider.close()


async def test_thinking_aloud_is_no_part_of_the_answer(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    server.script(Step(text="Four.", reasoning="two and two ..."))
    deltas, finished = await ask(provider, question())
    assert "".join(deltas) == finished.text == "Four."


async def test_an_answer_that_outgrows_its_bound_is_cut_off(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(text="word " * 2000, piece=50))
    deltas, finished = await ask(provider, question(max_output_tokens=20))
    assert finished.finish_reason == "length"
    assert len(finished.text) == len("".join(deltas)) == 200


async def test_closing_the_iteration_ends_the_call_at_the_server(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(text="one two three", piece=4, after=1, end="stall"))
    async with aclosing(provider.answer(question())) as items:
        await anext(items)
    await eventually(_outcome_is(server, "aborted"), what="the end of the call")


async def test_cancelling_the_task_ends_the_call_at_the_server(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(silent=True))
    asking = asyncio.create_task(ask(provider, question()))
    await eventually(_outcome_is(server, "running"), what="the call")
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()
    await eventually(_outcome_is(server, "aborted"), what="the end of the call")


async def test_calls_at_once_do_not_mix(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    server.default = Step(piece=3, delay=0.001)
    answers = await asyncio.gather(*(ask(provider, question(f"number {n}")) for n in range(20)))
    assert [finished.text for _, finished in answers] == [f"You said: number {n}" for n in range(20)]


async def test_a_configuration_has_one_provider_and_the_surplus_is_closed(server: ScriptedProvider) -> None:
    providers = Providers(kept=1)
    one, other = config_for(server, api_key="one"), config_for(server, api_key="other")
    async with providers.lend(one) as first, providers.lend(one) as again:
        assert first is again
        async with providers.lend(other) as second:
            await ask(second, question())
        # `other` was closed, since `one` is still in use; a new one is made when it is wanted again.
        async with providers.lend(other) as third:
            assert third is not second
            await ask(third, question())
        await ask(first, question())
    assert [call.headers["authorization"] for call in server.calls] == ["Bearer other", "Bearer other", "Bearer one"]
    async with providers.lend(None) as local:
        assert local.name == "local"
    await providers.close()


async def test_all_who_come_first_at_once_share_one_provider(server: ScriptedProvider) -> None:
    providers = Providers()
    config = config_for(server)

    async def borrow() -> int:
        async with providers.lend(config) as provider:
            await ask(provider, question())
            return id(provider)

    assert len(set(await asyncio.gather(*(borrow() for _ in range(5))))) == 1
    await providers.close()


def test_a_key_is_not_shown_with_its_configuration() -> None:
    assert "test-key" not in repr(config_for(ScriptedProvider()))


def _outcome_is(server: ScriptedProvider, outcome: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return bool(server.calls) and server.calls[-1].outcome == outcome

    return look
