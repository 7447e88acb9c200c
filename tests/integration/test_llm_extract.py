"""A form filled in from material: the schema goes along, the answer is validated, one mistake is sent back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import pytest
import pytest_asyncio
from pydantic import BaseModel, Field

from app.kit import json
from app.llm.compatible import CompatibleProvider
from app.llm.port import ProviderRefused, ProviderUnavailable, Source
from tests.support.asking import provider_for
from tests.support.provider import ScriptedProvider, Step, serve_provider


class Item(BaseModel):
    number: int = Field(ge=1)
    stem: str
    type: Literal["single", "short"]
    score: float | None = None


class Paper(BaseModel):
    subject: str
    items: list[Item]


MATERIAL = (Source("1", "paper.pdf", "1. What is 2 + 2? (5 points)", "page 1"),)
GOOD = {"subject": "Mathematics", "items": [{"number": 1, "stem": "What is 2 + 2?", "type": "short", "score": 5}]}
BAD = {"subject": "Mathematics", "items": [{"number": 0, "stem": "What is 2 + 2?", "type": "essay", "score": 5}]}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as running:
        yield running


@pytest_asyncio.fixture
async def provider(server: ScriptedProvider) -> AsyncIterator[CompatibleProvider]:
    made = provider_for(server)
    yield made
    await made.close()


def says(value: object) -> Step:
    return Step(text=json.text(value))


async def test_a_form_comes_back_filled_in(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    server.script(says(GOOD))
    extracted = await provider.extract(Paper, task="Read the exam.", material=MATERIAL)
    assert extracted.value == Paper.model_validate(GOOD)
    assert extracted.usage.output_tokens > 0
    call = server.calls[-1]
    assert call.body["response_format"]["json_schema"]["schema"] == Paper.model_json_schema()
    system, user = call.messages
    assert system["content"].endswith("Read the exam.")
    assert "2 + 2" not in system["content"]
    assert user["content"].startswith("<material>\n")


async def test_a_fence_around_the_json_does_no_harm(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    server.script(Step(text=f"Here it is:\n```json\n{json.text(GOOD)}\n```"))
    extracted = await provider.extract(Paper, task="Read.", material=MATERIAL)
    assert extracted.value.subject == "Mathematics"


async def test_a_mistake_is_named_and_put_right(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    server.script(says(BAD), says(GOOD))
    extracted = await provider.extract(Paper, task="Read.", material=MATERIAL)
    assert extracted.value == Paper.model_validate(GOOD)
    first, second = server.calls
    assert [message["role"] for message in second.messages] == ["system", "user", "assistant", "user"]
    assert "items.0.number" in second.messages[-1]["content"]
    assert "items.0.type" in second.messages[-1]["content"]
    spent = [sum(len(message["content"].split()) for message in call.messages) for call in (first, second)]
    assert extracted.usage.input_tokens == sum(spent)  # both calls cost


@pytest.mark.parametrize("text", ["no JSON at all", json.text(BAD), "{}"])
async def test_two_mistakes_are_unavailable(server: ScriptedProvider, provider: CompatibleProvider, text: str) -> None:
    server.default = Step(text=text)
    with pytest.raises(ProviderUnavailable, match="did not fit"):
        await provider.extract(Paper, task="Read.", material=MATERIAL)
    assert len(server.calls) == 2


async def test_a_server_without_schemas_is_asked_for_plain_json(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(status=400, error={"message": "response_format type json_schema is unavailable"}), says(GOOD))
    extracted = await provider.extract(Paper, task="Read.", material=MATERIAL)
    assert extracted.value.items[0].score == 5
    assert server.calls[-1].body["response_format"] == {"type": "json_object"}
    assert json.text(Paper.model_json_schema()) in server.calls[-1].messages[0]["content"]


async def test_another_refusal_is_a_refusal(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    server.script(Step(status=400, error={"message": "the prompt is too long"}))
    with pytest.raises(ProviderRefused):
        await provider.extract(Paper, task="Read.", material=MATERIAL)
    assert len(server.calls) == 1


async def test_a_hitch_is_tried_again(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    server.script(Step(status=429, retry_after="0"), Step(end="broken_json"), says(GOOD))
    extracted = await provider.extract(Paper, task="Read.", material=MATERIAL)
    assert extracted.value.subject == "Mathematics"
    assert len(server.calls) == 3
