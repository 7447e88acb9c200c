"""What goes wrong at a provider, and what it is called here: busy, unavailable or refused."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio

from app.llm.compatible import CompatibleProvider
from app.llm.port import Delta, ProviderBusy, ProviderRefused, ProviderUnavailable
from tests.support.asking import ask, config_for, provider_for, question
from tests.support.deployment import free_port
from tests.support.provider import ScriptedProvider, Step, serve_provider

SILENCE = 0.3  # seconds after which these tests take a server for dead


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as running:
        yield running


@pytest_asyncio.fixture
async def provider(server: ScriptedProvider) -> AsyncIterator[CompatibleProvider]:
    made = provider_for(server)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def impatient(server: ScriptedProvider) -> AsyncIterator[CompatibleProvider]:
    """Has no time for a second try."""
    made = provider_for(server, retry_budget=0.0)
    yield made
    await made.close()


@pytest.mark.parametrize(
    "trouble",
    [
        Step(status=429, retry_after="0"),
        Step(status=429, retry_after="0.05"),
        Step(status=500),
        Step(status=502),
        Step(status=503, retry_after="0"),
        Step(after=0, end="cut"),
        Step(after=0, end="broken_json"),
        Step(after=0, end="odd_json"),
        Step(after=0, end="error_event"),
        Step(after=0, end="no_finish"),
        Step(text=""),
    ],
    ids=lambda step: f"{step.status}-{step.end}-{step.retry_after}-{step.text}",
)
async def test_trouble_before_the_first_token_is_tried_again(
    server: ScriptedProvider, provider: CompatibleProvider, trouble: Step
) -> None:
    server.script(trouble)
    _, finished = await ask(provider, question("Hello"))
    assert finished.text == "You said: Hello"
    assert len(server.calls) == 2


async def test_a_wait_that_the_budget_does_not_hold_goes_back_with_the_server_s_advice(
    server: ScriptedProvider, provider: CompatibleProvider
) -> None:
    server.script(Step(status=429, retry_after="37"))
    with pytest.raises(ProviderBusy) as busy:
        await ask(provider, question())
    assert busy.value.retry_after == 37
    assert len(server.calls) == 1


async def test_advice_may_be_a_date_or_missing_or_nonsense(
    server: ScriptedProvider, impatient: CompatibleProvider
) -> None:
    date = email.utils.formatdate(time.time() + 3600, usegmt=True)
    for advice, expected in ((date, 3600), (None, None), ("soon", None)):
        server.script(Step(status=429, retry_after=advice))
        with pytest.raises(ProviderBusy) as busy:
            await ask(impatient, question())
        assert busy.value.retry_after == (None if expected is None else pytest.approx(expected, abs=60))


async def test_tries_are_few_even_where_waiting_is_free(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    server.default = Step(status=429, retry_after="0")
    with pytest.raises(ProviderBusy):
        await ask(provider, question())
    assert len(server.calls) == 4


async def test_a_server_that_stays_broken_is_unavailable(
    server: ScriptedProvider, impatient: CompatibleProvider
) -> None:
    server.default = Step(status=500)
    with pytest.raises(ProviderUnavailable, match="500"):
        await ask(impatient, question())


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (Step(status=401), "provider_key"),
        (Step(status=403), "provider_forbidden"),
        (Step(status=404), "provider_model"),
        (Step(status=400, error={"code": "context_length_exceeded"}), "context_length_exceeded"),
        (Step(status=422), "provider_422"),
        (Step(status=429, error={"code": "insufficient_quota"}), "provider_credit"),
        (Step(text="", finish_reason="content_filter"), "content_filter"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_no_retry_mends_is_refused_at_once(
    server: ScriptedProvider, provider: CompatibleProvider, step: Step, code: str
) -> None:
    server.script(step)
    with pytest.raises(ProviderRefused) as refused:
        await ask(provider, question())
    assert refused.value.code == code
    assert len(server.calls) == 1


async def test_a_redirect_is_not_followed(server: ScriptedProvider, provider: CompatibleProvider) -> None:
    async with serve_provider() as elsewhere:
        server.script(Step(status=307, redirect=f"{elsewhere.url}/chat/completions"))
        with pytest.raises(ProviderRefused, match="redirect"):
            await ask(provider, question())
        assert elsewhere.calls == []


@pytest.mark.parametrize("end", ["cut", "stall", "broken_json", "odd_json", "error_event", "no_finish"])
async def test_after_the_first_token_nothing_is_tried_again(server: ScriptedProvider, end: str) -> None:
    provider = provider_for(server, first_token_timeout=2.0)
    server.script(Step(text="one two three", piece=4, after=1, end=end))  # type: ignore[arg-type]
    async with aclosing(provider.answer(question())) as items:
        assert await anext(items) == Delta("one ")
        with pytest.raises(ProviderUnavailable):
            await anext(items)
    assert len(server.calls) == 1
    await provider.close()


@pytest.mark.parametrize(
    "step", [Step(silent=True), Step(after=0, end="stall")], ids=["no headers", "headers and then nothing"]
)
async def test_a_half_open_connection_ends_in_time(server: ScriptedProvider, step: Step) -> None:
    provider = provider_for(server, first_token_timeout=SILENCE, retry_budget=0.0)
    server.script(step)
    async with asyncio.timeout(30):  # the client's own time-out is minutes: without ours this would be reached
        with pytest.raises(ProviderUnavailable):
            await ask(provider, question())
    await provider.close()


async def test_a_whole_answer_has_its_time_too(server: ScriptedProvider) -> None:
    provider = provider_for(server, timeout=0.5, first_token_timeout=0.4)
    server.script(Step(text="x" * 1000, piece=1, delay=0.05))  # never silent for long, and 50 s in all
    async with asyncio.timeout(20):
        with pytest.raises(ProviderUnavailable):
            await ask(provider, question())
    await provider.close()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with serve_provider() as running:
        config = config_for(running, base_url=f"http://127.0.0.1:{free_port()}/v1", retry_budget=0.0)
    provider = CompatibleProvider(config)
    with pytest.raises(ProviderUnavailable, match="connection"):
        await ask(provider, question())
    await provider.close()


@pytest.mark.parametrize(
    "base_url", ["ftp://host/v1", "host/v1", "http:///v1", "http://user:pw@host/v1", "https://h/?k=v"]
)
def test_an_address_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        config_for(ScriptedProvider(), base_url=base_url)
