"""One conversation at a terminal: asks, shows the place in the lane, prints the reply as it is written."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

from app.client.api import Api, ApiError, Event

BETWEEN_LOOKS = 0.5  # seconds, at the place of a turn that waits
FULL_LANE_TRIES = 10

DONE, FAILED, CANCELLED = 0, 1, 130


@dataclass
class Conversation:
    """Whose it is and which; every turn of it goes into one lane."""

    api: Api
    role: str
    person: str
    session: str | None = None
    agent: str | None = None
    out: TextIO = field(default_factory=lambda: sys.stdout)
    news: TextIO = field(default_factory=lambda: sys.stderr)
    _cancelled: bool = False

    def say(self, text: str) -> int:
        """Ask, and print the reply; an exit code. Ctrl-C cancels the reply, a second one leaves it alone."""
        job, self._cancelled = self._submit(text), False
        self.session = job["session_id"]
        with self._cancelling(job):
            job = self._wait_for_turn(job)
        printer = Printer(self.out, self.news)
        ended: Event | None = None
        events = self.api.follow(job["links"]["events"])
        while ended is None:
            with self._cancelling(job):
                ended = _next_end(events, printer)
            if ended is None:  # cancelled meanwhile, and the stream was broken off for it
                events = self.api.follow(job["links"]["events"])
                printer.begin_again()
        return printer.end(ended)

    def _submit(self, text: str) -> dict[str, Any]:
        turn: dict[str, Any] = {
            "messages": [{"role": "user", "content": text}],
            "role": self.role,
            f"{self.role}_id": self.person,
        }
        turn |= {name: value for name, value in (("session_id", self.session), ("agent", self.agent)) if value}
        key = str(uuid.uuid4())
        for _ in range(FULL_LANE_TRIES):
            try:
                return self.api.submit(turn, key=key)
            except ApiError as error:
                if error.code != "lane_full":
                    raise
                self._tell(str(error))
                time.sleep(error.retry_after or 1.0)
        return self.api.submit(turn, key=key)

    def _wait_for_turn(self, job: dict[str, Any]) -> dict[str, Any]:
        told = None
        while job["status"] == "queued" and job.get("lane_queue_position"):
            if job["lane_queue_position"] != told:
                told = job["lane_queue_position"]
                self._tell(f"waiting: {told} before you in this session")
            time.sleep(BETWEEN_LOOKS)
            job = self.api.read(job["links"]["self"])
        return job

    @contextmanager
    def _cancelling(self, job: dict[str, Any]) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            if self._cancelled:
                raise
            self._cancelled = True
            self._tell("cancelling")
            self.api.cancel(job["links"]["cancel"])

    def _tell(self, text: str) -> None:
        print(f"[{text}]", file=self.news, flush=True)


class Printer:
    """Puts a reply on the screen once, whatever part of it comes twice."""

    def __init__(self, out: TextIO, news: TextIO) -> None:
        self._out = out
        self._news = news
        self._text = ""  # as it is on the screen
        self._heard = ""  # of this delivery

    def begin_again(self) -> None:
        """The stream is read from its start."""
        self._heard = ""

    def hear(self, event: Event) -> None:
        if event.type == "delta":
            self._heard = self._heard[: event.data["offset"]] + event.data["text"]
            self._show(self._heard)
        elif event.type == "reset":
            self._heard = ""

    def end(self, event: Event) -> int:
        """The end carries the whole reply, so that nothing is missing from the screen."""
        result = event.data.get("result") or {}
        self._show(result.get("reply", ""))
        print(file=self._out, flush=True)
        for number, source in enumerate(result.get("sources", ()), 1):
            where = f" · {source['locator']}" if source.get("locator") else ""
            print(f"  [{number}] {source['title']}{where}", file=self._news)
        if event.type == "failed":
            print(f"[{event.data['error']}: {event.data['error_detail']}]", file=self._news)
        return {"done": DONE, "cancelled": CANCELLED}.get(event.type, FAILED)

    def _show(self, text: str) -> None:
        if text.startswith(self._text):
            print(text[len(self._text) :], end="", file=self._out, flush=True)
            self._text = text
        elif not self._text.startswith(text):  # another delivery says it in other words
            print(f"\n{text}", end="", file=self._out, flush=True)
            self._text = text


def _next_end(events: Iterator[Event], printer: Printer) -> Event | None:
    for event in events:
        if event.type in ("done", "failed", "cancelled"):
            return event
        printer.hear(event)
    return None
