"""A reply on its way: the first token at once, the rest gathered, resumed without gap or repeat, cut by a cancel."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import pytest_asyncio

from tests.support.chat import Heard, ask, chat_worker, ended, listen, messages, say, text_of
from tests.support.deployment import Deployment
from tests.support.provider import ScriptedProvider, Step, serve_provider
from tests.support.waiting import eventually

LONG = "".join(f"word{number} " for number in range(300))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provider(deployment: Deployment) -> AsyncIterator[ScriptedProvider]:
    """A model, and a worker that asks it: no test here needs one of its own."""
    async with serve_provider() as running, chat_worker(deployment, running):
        yield running


@pytest.fixture
def student(tenant: str) -> str:
    return f"student-of-{tenant}"


async def test_the_first_words_come_while_the_model_still_writes_and_the_end_has_all_of_them(
    api: httpx.AsyncClient, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(text="first second", piece=6, delay=1.0))
    job = await say(api, "Well?", student=student)
    heard: list[Heard] = []
    async for event in listen(api, job):
        heard.append(event)
        if event.event == "delta" and event.data["offset"] == 0:
            assert provider.asked("Well?").outcome == "running"
            assert event.data["text"] == "first "
    assert [each.event for each in heard] == ["queued", "started", "delta", "delta", "done"]
    assert [each.data["offset"] for each in heard if each.event == "delta"] == [0, 6]
    assert all(each.id for each in heard[:-1])  # the end may be told from the database, which knows no ids
    assert heard[-1].data["result"]["reply"] == text_of(heard) == "first second"


async def test_a_fast_model_makes_larger_pieces_and_no_more_events(
    api: httpx.AsyncClient, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(text=LONG, piece=2))
    job = await say(api, "Much?", student=student)
    heard = [event async for event in listen(api, job)]
    deltas = [each for each in heard if each.event == "delta"]
    assert text_of(heard) == LONG == heard[-1].data["result"]["reply"]
    assert len(deltas) < len(LONG) / 2 / 5


async def test_a_reader_that_was_cut_off_goes_on_without_gap_or_repeat(
    api: httpx.AsyncClient, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(text=LONG, piece=12, delay=0.005))
    job = await say(api, "Much?", student=student)
    heard: list[Heard] = []
    last_id = None
    while not heard or heard[-1].event != "done":
        taken = 0
        async for event in listen(api, job, last_event_id=last_id):
            heard.append(event)
            last_id, taken = event.id, taken + 1
            if taken == 2:
                break
    assert text_of(heard) == LONG
    ids = [each.id for each in heard[:-1]]
    assert len(ids) == len(set(ids))
    whole = [event async for event in listen(api, job)]  # all that is kept, once more, and by now its end too
    assert [each.id for each in whole[:-1]] == ids
    assert (await api.get(job["links"]["events"], headers={"Last-Event-ID": str(whole[-1].id)})).status_code == 204


async def test_another_attempt_begins_anew_and_readers_are_told(
    api: httpx.AsyncClient, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(text="void words", piece=5, after=1, end="cut"), Step(text="what counts"))
    job = await say(api, "Well?", student=student)
    heard = [event async for event in listen(api, job)]
    at = [each.event for each in heard].index("reset")
    assert text_of(heard[:at]) == "void "
    assert text_of(heard[at:]) == heard[-1].data["result"]["reply"] == "what counts"
    assert {each.data["attempt"] for each in heard[at:-1]} == {2}


async def test_a_cancel_ends_the_call_and_keeps_what_was_said(
    api: httpx.AsyncClient, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(text="half of it and the rest", piece=11, after=1, end="stall"), Step(text="another"))
    job = await say(api, "Much?", student=student)
    heard: list[Heard] = []
    async for event in listen(api, job):
        heard.append(event)
        if event.event == "delta":
            assert (await api.post(job["links"]["cancel"])).status_code == 202
    call = provider.asked("Much?")

    async def call_is_over() -> bool:
        return call.outcome != "running"

    await eventually(call_is_over, what="the end of the provider's call")
    assert heard[-1].event == "cancelled"
    assert heard[-1].data["result"]["reply"] == "half of it "
    assert heard[-1].data["result"]["partial"] is True
    await ask(api, "And?", student=student)  # the lane went on, and the model is told what there was
    assert [each["content"] for each in provider.asked("And?").messages[1:]] == ["Much?", "half of it ", "And?"]
    said = await messages(api, job["lane_id"])
    assert [(each["content"], each["partial"]) for each in said] == [
        ("Much?", False),
        ("half of it ", True),
        ("And?", False),
        ("another", False),
    ]


async def test_a_stale_attempt_stores_nothing(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    """The job is given to another attempt while the first one still writes: as a rescue does with a frozen worker's."""
    provider.script(Step(text="stale words", piece=5, delay=0.8), Step(text="fresh words"))
    job = await say(api, "Stale?", student=student)

    async def is_writing() -> bool:
        return any(call.messages[-1]["content"] == "Stale?" for call in provider.calls)

    await eventually(is_writing, what="the first call")
    connection = await asyncpg.connect(deployment.database_url)
    try:
        await connection.execute(
            "update jobs set status = 'queued', dispatched_at = null where job_id = $1", job["job_id"]
        )
    finally:
        await connection.close()
    job = await ended(api, job)
    assert job["result"]["reply"] == "fresh words"
    assert [each["content"] for each in await messages(api, job["lane_id"])] == ["Stale?", "fresh words"]
