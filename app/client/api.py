"""The few routes that a conversation needs, and a stream of events that survives a lost connection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx

TERMINAL = frozenset({"done", "failed", "cancelled"})
TRIES = 8  # connections in a row without news
LONGEST_PAUSE = 5.0
TIMEOUT = httpx.Timeout(30.0, connect=5.0)  # the stream says something every ten seconds


class ApiError(Exception):
    """The API refused, or does not answer; the text is for people."""

    def __init__(self, text: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.retry_after = retry_after


class Event(NamedTuple):
    """One server-sent event."""

    type: str
    data: dict[str, Any]


class Api:
    """A deployment as one key sees it."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT)

    def close(self) -> None:
        self._client.close()

    def submit(self, turn: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Submit a turn; the key makes it safe to repeat where the answer was lost."""
        for tries in range(1, TRIES):
            try:
                return self._call("POST", "/v1/chat", json=turn, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                time.sleep(_pause(tries))
        return self._call("POST", "/v1/chat", json=turn, headers={"Idempotency-Key": key})

    def read(self, address: str) -> dict[str, Any]:
        return self._call("GET", address)

    def cancel(self, address: str) -> None:
        """Ask for the job's end; that it has ended already is no error."""
        try:
            self._call("POST", address)
        except ApiError as error:
            if error.code != "job_not_cancellable":
                raise

    def follow(self, address: str) -> Iterator[Event]:
        """The job's events until its end, each once: after a lost connection it goes on where it was."""
        last_id, tries = None, 0
        while True:
            try:
                for event, event_id in self._stream(address, last_id):
                    tries, last_id = 0, event_id or last_id
                    yield event
                    if event.type in TERMINAL:
                        return
            except httpx.TransportError as error:
                if tries >= TRIES:
                    raise ApiError(f"The connection to {self._client.base_url} is lost: {error}.") from error
            tries += 1
            if tries > TRIES:
                raise ApiError("The stream of events ends again and again without the job's end.")
            time.sleep(_pause(tries))

    def _stream(self, address: str, last_id: str | None) -> Iterator[tuple[Event, str | None]]:
        headers = {"Last-Event-ID": last_id} if last_id is not None else {}
        with self._client.stream("GET", address, headers=headers) as response:
            if response.is_error:
                response.read()
                raise _problem(response)
            yield from parse(response.iter_lines())

    def _call(self, method: str, address: str, **options: Any) -> dict[str, Any]:
        response = self._client.request(method, address, **options)
        if response.is_error:
            raise _problem(response)
        answer: dict[str, Any] = response.json()
        return answer


def parse(lines: Iterator[str]) -> Iterator[tuple[Event, str | None]]:
    """Server-sent events, each with its id where it has one. What ends without an empty line did not arrive whole."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "data" in fields:
                yield Event(fields.get("event", "message"), json.loads(fields["data"])), fields.get("id")
            fields = {}


def _pause(tries: int) -> float:
    return min(0.2 * 2.0**tries, LONGEST_PAUSE)


def _problem(response: httpx.Response) -> ApiError:
    try:
        problem = response.json()
        text = f"{problem['title']}: {problem['detail']}"
        text += "".join(f"\n  {each['pointer']}: {each['detail']}" for each in problem.get("errors", ()))
    except (ValueError, KeyError, TypeError):
        return ApiError(f"{response.url} answered {response.status_code}: no Homeroom seems to be there.")
    wait = response.headers.get("Retry-After")
    return ApiError(text, code=problem.get("code"), retry_after=float(wait) if wait is not None else None)
