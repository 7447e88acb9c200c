"""Asking a provider in a test."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from app.llm.compatible import CompatibleProvider
from app.llm.config import ProviderConfig
from app.llm.port import Delta, Finished, Provider, Question
from tests.support.provider import ScriptedProvider


def config_for(server: ScriptedProvider, **more: Any) -> ProviderConfig:
    """Patience that suits a test: long enough for a busy machine where an answer is due, short where none comes."""
    given: dict[str, Any] = {"model": "test-model", "base_url": server.url, "api_key": "test-key", "retry_budget": 5.0}
    return ProviderConfig(**given | more)


def provider_for(server: ScriptedProvider, **more: Any) -> CompatibleProvider:
    return CompatibleProvider(config_for(server, **more))


def question(user: str = "What is a fraction?", **more: Any) -> Question:
    return Question(**{"system": "You are a patient tutor.", "user": user} | more)


async def ask(provider: Provider, asked: Question) -> tuple[list[str], Finished]:
    """The deltas and the end of an answer, which must come in this order."""
    async with aclosing(provider.answer(asked)) as items:
        got = [item async for item in items]
    *deltas, finished = got
    assert isinstance(finished, Finished)
    assert all(isinstance(delta, Delta) for delta in deltas)
    return [delta.text for delta in deltas if isinstance(delta, Delta)], finished
