"""An OpenAI-compatible server that does as a script says: real HTTP, real streaming, and every way to misbehave.

In a test it is `async with serve_provider() as provider`; for processes, `python -m tests.support.provider --port N`.
It takes one step of its script per call and the default step when the script is used up. A step also stands for a
misfortune: a refusal, silence, a cut, broken JSON. Steps come by `provider.script(...)`, or as a JSON list in
`POST /script`. With a log file it writes two lines a call, when it starts and when it ends.

A call's marker is what stands between double brackets in its messages, as in `[[student:7:main]]`: tests put a lane's
name there and see in the log that a lane never has two calls at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO

import h11

from tests.support.wire import Wire, unless_gone

MARKER = re.compile(r"\[\[(.+?)\]\]")
QUESTION = re.compile(r"<question>\n(.*)\n</question>", re.DOTALL)
MODEL = "scripted-1"

_UNREADABLE = {
    "broken_json": b'{"id": "scripted", "choices": [{"del',
    "odd_json": b'{"choices": {"delta": "of no shape that is known"}}',
}

Ending = Literal["done", "cut", "stall", "broken_json", "odd_json", "no_finish", "error_event", "linger"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one call gets."""

    text: str | None = None  # None: "You said: " and what the user said
    piece: int = 12  # characters of a piece of a stream
    first_delay: float = 0.0  # seconds, before the first piece
    delay: float = 0.0  # before each further one
    after: int | None = None  # pieces that are sent before the end; None: all
    end: Ending = "done"
    status: int = 200
    retry_after: str | None = None
    error: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False  # takes the request and sends nothing at all
    finish_reason: str = "stop"
    usage: bool = True
    reasoning: str | None = None  # thought aloud before the text
    redirect: str | None = None


@dataclass(slots=True)
class Call:
    """A request as it arrived, and how it ended."""

    number: int
    body: Any
    headers: dict[str, str]
    marker: str | None
    outcome: str = "running"

    @property
    def messages(self) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = self.body["messages"]
        return messages


class ScriptedProvider:
    """The server's behaviour; `url` is what a ProviderConfig takes."""

    def __init__(self, log: TextIO | None = None) -> None:
        self.default = Step()
        self.calls: list[Call] = []
        self.port = 0
        self.most_at_once = 0
        self._steps: deque[Step] = deque()
        self._log = log
        self._running: Counter[str | None] = Counter()
        self._faults: tuple[random.Random, tuple[tuple[Step, float], ...]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *steps: Step) -> None:
        self._steps.extend(steps)

    def asked(self, text: str) -> Call:
        """The latest call whose user said this: others may ask at the same time."""
        return next(call for call in reversed(self.calls) if _said(call) == text)

    def misbehave(self, faults: Sequence[tuple[Step, float]], seed: int = 0) -> None:
        """From now on each of these steps takes the default's place with its probability."""
        self._faults = (random.Random(seed), tuple(faults))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as many calls as the client makes on it."""
        wire = Wire(reader, writer)
        try:
            while (asked := await wire.request()) is not None:
                request, raw = asked
                if not await self._route(wire, request, raw):
                    break
                wire.next()
        except (ConnectionError, h11.RemoteProtocolError):
            pass
        finally:
            writer.close()

    async def _route(self, wire: Wire, request: h11.Request, raw: bytes) -> bool:
        """Answer one request; False where the connection ends with it."""
        target = request.target.decode()
        if target == "/script":
            self.script(*(Step(**step) for step in json.loads(raw)))
            await wire.json(200, {"steps": len(self._steps)})
            return True
        if target == "/v1/models":
            await wire.json(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
            return True
        if target != "/v1/chat/completions":
            await wire.json(404, {"error": {"message": f"no such path: {target}"}})
            return True
        headers = {name.decode(): value.decode() for name, value in request.headers}
        return await self._complete(wire, json.loads(raw), headers)

    async def _complete(self, wire: Wire, body: Any, headers: dict[str, str]) -> bool:
        found = MARKER.search("\n".join(str(message["content"]) for message in reversed(body["messages"])))
        call = Call(len(self.calls) + 1, body, headers, found.group(1) if found else None)
        self.calls.append(call)
        self._running[call.marker] += 1
        self.most_at_once = max(self.most_at_once, self._running.total())
        self._note("start", call, at_once=self._running.total(), of_marker=self._running[call.marker])
        try:
            call.outcome = await unless_gone(wire, _perform(self._next_step(), wire, call))
        except (ConnectionError, h11.LocalProtocolError):
            call.outcome = "aborted"
        finally:
            self._running[call.marker] -= 1
            self._note("end", call, outcome=call.outcome)
        return call.outcome in ("done", "refused")

    def _next_step(self) -> Step:
        if self._steps:
            return self._steps.popleft()
        if self._faults is not None:
            chance, faults = self._faults
            drawn = chance.random()
            for step, share in faults:
                drawn -= share
                if drawn < 0:
                    return step
        return self.default

    def _note(self, event: str, call: Call, **more: Any) -> None:
        if self._log is not None:
            line = {"event": event, "call": call.number, "at": time.time(), "marker": call.marker, **more}
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()


async def _perform(step: Step, wire: Wire, call: Call) -> str:
    if step.silent:
        await asyncio.Event().wait()
    if step.status != 200:
        error = {"message": f"scripted {step.status}", "type": "scripted", "code": None, **step.error}
        headers = {"retry_after": step.retry_after} if step.retry_after is not None else {}
        headers |= {"location": step.redirect} if step.redirect is not None else {}
        await asyncio.sleep(step.first_delay)
        await wire.json(step.status, {"error": error}, **headers)
        return "refused"
    text = step.text if step.text is not None else f"You said: {_said(call)}"
    return await (_stream(step, wire, call, text) if call.body.get("stream") else _whole(step, wire, call, text))


def _said(call: Call) -> str:
    last = call.messages[-1]["content"]
    inside = QUESTION.search(last)
    return inside.group(1) if inside else last


async def _whole(step: Step, wire: Wire, call: Call, text: str) -> str:
    await asyncio.sleep(step.first_delay)
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": step.finish_reason}
    completion = _frame(call, "chat.completion", [choice]) | ({"usage": _usage(call, text)} if step.usage else {})
    if step.end == "broken_json":
        await wire.head(200, content_type="application/json")
        await wire.data(b'{"id": "scripted", "choices": [{"mess')
        await wire.end()
    else:
        await wire.json(200, completion)
    return "done"


async def _stream(step: Step, wire: Wire, call: Call, text: str) -> str:
    await wire.head(200, content_type="text/event-stream")
    await wire.event(_chunk(call, {"role": "assistant", "content": ""}))
    if step.reasoning is not None:
        await wire.event(_chunk(call, {"reasoning_content": step.reasoning}))
    pieces = [text[at : at + step.piece] for at in range(0, len(text), step.piece)]
    for number, piece in enumerate(pieces[: step.after]):
        await asyncio.sleep(step.delay if number else step.first_delay)
        await wire.event(_chunk(call, {"content": piece}))
    match step.end:
        case "cut":
            return "cut"
        case "stall":
            await asyncio.Event().wait()
        case "broken_json" | "odd_json":
            await wire.event(_UNREADABLE[step.end])
        case "error_event":
            await wire.event({"error": {"message": "scripted", "code": "server_error", **step.error}})
        case "linger":
            await wire.event(_chunk(call, {}, finish_reason=step.finish_reason))
            await asyncio.Event().wait()
        case "done":
            await wire.event(_chunk(call, {}, finish_reason=step.finish_reason))
            if step.usage:
                await wire.event(_frame(call, "chat.completion.chunk", []) | {"usage": _usage(call, text)})
            await wire.event(b"[DONE]")
    await wire.end()
    return "done"


def _chunk(call: Call, delta: Mapping[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return _frame(call, "chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": finish_reason}])


def _frame(call: Call, kind: str, choices: list[Any]) -> dict[str, Any]:
    return {"id": f"scripted-{call.number}", "object": kind, "created": 0, "model": MODEL, "choices": choices}


def _usage(call: Call, text: str) -> dict[str, int]:
    asked = sum(len(str(message["content"]).split()) for message in call.messages)
    answered = len(text.split())
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


@asynccontextmanager
async def serve_provider(*, port: int = 0, log: Path | None = None) -> AsyncIterator[ScriptedProvider]:
    """The server in this loop, on a port of its own."""
    with contextlib.ExitStack() as files:
        provider = ScriptedProvider(files.enter_context(log.open("a")) if log is not None else None)
        connections: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            connections.add(task)
            try:
                await provider.answer(reader, writer)
            except asyncio.CancelledError:
                writer.close()
            finally:
                connections.discard(task)

        server = await asyncio.start_server(connected, "127.0.0.1", port)
        provider.port = server.sockets[0].getsockname()[1]
        try:
            yield provider
        finally:
            server.close()
            for task in [*connections]:
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)


def at_once(log: Path) -> dict[str, int]:
    """For each marker of a log, the most calls that it had running at the same time."""
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        marker = str(entry["marker"])
        running[marker] += 1 if entry["event"] == "start" else -1
        most[marker] = max(most[marker], running[marker])
    return dict(most)


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A scripted OpenAI-compatible server on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--default", type=json.loads, default={}, help="the default step, as JSON")
    parser.add_argument("--faults", type=json.loads, default=[], help="[[step, probability], ...], as JSON")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    async with serve_provider(port=given.port, log=given.log) as provider:
        provider.default = Step(**given.default)
        provider.misbehave([(Step(**step), share) for step, share in given.faults], given.seed)
        print(provider.url, flush=True)  # noqa: T201 - whoever started it reads where it listens
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
