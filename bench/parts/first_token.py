"""K: the first words of a reply through the whole system, beside the same model asked directly."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import openai

from bench.contestants import HTTP
from bench.figures import quantile
from bench.ours.house import free_port
from bench.parts.bench import Bench
from bench.parts.processes import READY_WITHIN, start_api
from bench.parts.stages import add_stages
from bench.stage import BenchFailed, Turn

TURNS, WARM_UP = 100, 10
DIRECTLY, THROUGH = "the model, asked directly", "the model, through POST /v1/chat and its events"
MODEL = "scripted-1"
STEP = {"text": "The first words, and some more after them. " * 4, "first_delay": 0.05, "delay": 0.01}


def run(bench: Bench) -> None:
    for number in range(1, bench.runs + 1):
        print(f"K  run {number}  {bench.calmly(partial(_measure, bench))}", flush=True)


def _measure(bench: Bench) -> str:
    turns = bench.jobs(TURNS)
    model = f"http://127.0.0.1:{free_port()}/v1"
    environment = {"PORT": str(free_port()), "LLM_BASE_URL": model, "LLM_MODEL": MODEL}
    with bench.turn(HTTP, 1, environment=environment) as turn:
        _start(turn, model)
        asked: list[float] = []
        waits = asyncio.run(_wait_both_ways(turn, model, turns, asked))
    median = {who: quantile(values, 0.5) for who, values in waits.items()}
    for who, values in waits.items():
        bench.figures.add("K", who, "first words, p50", "ms", median[who])
        bench.figures.add("K", who, "p99", "ms", quantile(values, 0.99), note=f"{turns} turns a run")
    more = median[THROUGH] - median[DIRECTLY]
    bench.figures.add("K", THROUGH, "more than directly, p50", "ms", more)
    add_stages(bench, "K", THROUGH, "chat.reply", asked[WARM_UP:], first=WARM_UP)
    return f"{median[DIRECTLY]:.1f} ms directly, {median[THROUGH]:.1f} ms through the system: {more:.1f} ms more"


def _start(turn: Turn, model: str) -> None:
    """The scripted model, the API and a chat worker, each a process of its own."""
    port = model.removesuffix("/v1").rpartition(":")[2]
    command = [turn.python, "-m", "tests.support.provider", "--port", port, "--default", json.dumps(STEP)]
    turn.start(command, "model")
    start_api(turn)
    ready = Path(turn.environment["BENCH_TAPE"]).with_suffix(".ready")
    turn.start([turn.python, "run_chat_worker.py"], "chat", HOMEROOM_READY_FILE=str(ready))
    turn.wait(ready.exists, seconds=READY_WITHIN, what="the chat worker", look_every=0.02)


async def _wait_both_ways(turn: Turn, model: str, turns: int, asked: list[float]) -> dict[str, list[float]]:
    """Both ways in turns and in random order; milliseconds until the first words are read. `asked` gets the moments at
    which the system was."""
    headers = {"Authorization": f"Bearer {turn.environment['BENCH_API_KEY']}"}
    address = f"http://127.0.0.1:{turn.environment['PORT']}"
    waits: dict[str, list[float]] = {DIRECTLY: [], THROUGH: []}
    async with (
        openai.AsyncOpenAI(base_url=model, api_key="none") as client,
        httpx.AsyncClient(base_url=address, headers=headers, timeout=30.0) as api,
    ):
        for number in range(WARM_UP + turns):
            for who in random.sample([DIRECTLY, THROUGH], 2):
                words = _directly(client, number) if who is DIRECTLY else _through(api, number)
                if who is THROUGH:
                    asked.append(time.time())
                started = time.perf_counter()
                if not await anext(words):
                    raise BenchFailed(f"{who}: the first words are none")
                waits[who].append((time.perf_counter() - started) * 1000)
                async for _ in words:  # to its end: no reply shares the machine with the next one
                    pass
    return {who: values[WARM_UP:] for who, values in waits.items()}


async def _directly(client: openai.AsyncOpenAI, number: int) -> AsyncIterator[str]:
    stream = await client.chat.completions.create(
        model=MODEL, stream=True, messages=[{"role": "user", "content": _question(number)}]
    )
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content


async def _through(api: httpx.AsyncClient, number: int) -> AsyncIterator[str]:
    said = [{"role": "user", "content": _question(number)}]
    body = {"messages": said, "role": "student", "student_id": "s1", "session_id": f"turn-{number}"}
    answer = await api.post("/v1/chat", json=body)
    if answer.status_code != httpx.codes.ACCEPTED:
        raise BenchFailed(f"a turn was answered {answer.status_code}: {answer.text}")
    async with api.stream("GET", answer.json()["links"]["events"]) as events:
        async for line in events.aiter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event == "delta":
                yield json.loads(line.removeprefix("data: "))["text"]
            elif line.startswith("data: ") and event == "failed":
                raise BenchFailed(f"a turn failed: {line}")


def _question(number: int) -> str:
    return f"What is a fraction, asked for the {number}th time?"
