"""What is counted of calls of models: by how they end, and nothing of who asked which model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel

from app.kit.metrics import Meter
from app.llm.local import LocalProvider
from app.llm.metering import ModelMetrics
from app.llm.port import (
    Delta,
    Extracted,
    Extractor,
    Finished,
    Provider,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Question,
    Source,
    Usage,
)

DURATION = "gen_ai_client_operation_duration_seconds_count"
QUESTION = Question(system="You help.", user="What is the boiling point of water?")


class Form(BaseModel):
    answer: str


class Scripted:
    """A provider that says two words, and then what the test wants."""

    name = "scripted"

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def answer(self, question: Question) -> AsyncGenerator[Delta | Finished, None]:
        yield Delta("At ")
        if self._error is not None:
            raise self._error
        yield Delta("100 °C")
        yield Finished("At 100 °C", (), Usage(12, 5), f"a model for {question.user}", "stop")

    async def extract(
        self, _shape: type[Any], *, task: str, material: tuple[Source, ...], max_output_tokens: int = 4096
    ) -> Extracted[Any]:
        if self._error is not None:
            raise self._error
        return Extracted(Form(answer=task), Usage(len(material), max_output_tokens), "m")

    async def close(self) -> None:
        self.name = "closed"


def told(meter: Meter) -> dict[tuple[str, ...], float]:
    """Samples by name and label values, without empty ones and the buckets."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()) if value)): sample.value
        for family in text_string_to_metric_families(meter.render().decode())
        for sample in family.samples
        if sample.name.startswith("gen_ai") and not sample.name.endswith("_bucket")
    }


def metered(provider: Provider) -> tuple[Provider, Meter]:
    meter = Meter("1")
    return ModelMetrics(meter).metered(provider), meter


async def test_a_reply_is_counted_with_its_time_its_first_piece_and_its_tokens() -> None:
    provider, meter = metered(Scripted())
    async with aclosing(provider.answer(QUESTION)) as pieces:
        assert [type(piece) async for piece in pieces] == [Delta, Delta, Finished]
    found = told(meter)
    assert found[DURATION, "chat", "scripted"] == 1
    assert found["gen_ai_client_operation_time_to_first_chunk_seconds_count", "chat", "scripted"] == 1
    assert found["gen_ai_client_token_usage_sum", "chat", "scripted", "input"] == 12
    assert found["gen_ai_client_token_usage_sum", "chat", "scripted", "output"] == 5
    assert "a model for" not in meter.render().decode()


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ProviderBusy("slow down", retry_after=3.0), "busy"),
        (ProviderUnavailable("gone"), "unavailable"),
        (ProviderRefused("bad_key", "who are you?"), "refused"),
        (RuntimeError("a bug"), "broken_off"),
    ],
)
async def test_a_failure_is_counted_by_its_kind(error: Exception, name: str) -> None:
    provider, meter = metered(Scripted(error))
    with pytest.raises(type(error)):
        [piece async for piece in provider.answer(QUESTION)]
    assert isinstance(provider, Extractor)
    with pytest.raises(type(error)):
        await provider.extract(Form, task="t", material=())
    found = told(meter)
    assert (found[DURATION, name, "chat", "scripted"], found[DURATION, name, "generate_content", "scripted"]) == (1, 1)
    assert not any("token_usage" in sample[0] for sample in found)
    assert isinstance(error, ProviderError) is (name != "broken_off")


async def test_who_leaves_early_cancels_and_who_has_it_all_does_not() -> None:
    provider, meter = metered(Scripted())
    for last in (Delta, Finished):
        async with aclosing(provider.answer(QUESTION)) as pieces:
            async for piece in pieces:
                if isinstance(piece, last):
                    break
    found = told(meter)
    assert (found[DURATION, "cancelled", "chat", "scripted"], found[DURATION, "chat", "scripted"]) == (1, 1)


async def test_a_form_is_counted_and_the_local_provider_still_fills_in_none() -> None:
    provider, meter = metered(Scripted())
    assert isinstance(provider, Extractor)
    extracted = await provider.extract(Form, task="t", material=(), max_output_tokens=7)
    assert extracted.value.answer == "t"
    assert told(meter)["gen_ai_client_token_usage_sum", "generate_content", "scripted", "output"] == 7
    await provider.close()
    assert not isinstance(metered(LocalProvider())[0], Extractor)
