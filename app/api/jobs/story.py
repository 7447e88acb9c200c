"""What one reader is told of one job, in order and once: the stream's events, and the ledger's row where those lack.

The stream is news: it may lag behind the row, lose everything, or hold an end that a retry has since undone. The row is
the truth, but knows only how the job stands now. So the stream is told as it comes, its ends are held back until the
row confirms them, and what the row knows beyond the stream is told from the row, without ids. That the job was queued
is how every story begins; nobody can have listened before that, so no stream holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from app.api.wire import encode
from app.engine.events import TERMINAL_EVENTS, StreamEvent
from app.engine.ledger.rows import JobRow

KEEP_ALIVE = b": keep-alive\n\n"

# How far a job is: which delivery, and whether that is queued (0) or started (1).
Place = tuple[int, int]
NOWHERE: Place = (0, 0)
QUEUED: Place = (1, 0)

BEGUN = "0-1"  # the id of every story's first frame: below all that Redis gives


class Frame(NamedTuple):
    """One server-sent event."""

    event: str
    data: bytes
    id: str | None = None

    def encode(self) -> bytes:
        head = f"id: {self.id}\n" if self.id is not None else ""
        return f"{head}event: {self.event}\n".encode() + b"data: " + self.data + b"\n\n"


class Story:
    """Keeps in mind what a reader has heard. Pure: it neither reads nor waits."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._heard: Place = NOWHERE  # from either source
        self._vouched: Place = NOWHERE  # from the row: the stream's later telling of it is a repetition
        self._end: StreamEvent | None = None  # an end that the row has not confirmed

    def begin(self, row: JobRow) -> Frame:
        """The first frame of whoever has heard nothing; who has, heard this one."""
        self._heard = self._vouched = QUEUED
        return self._frame("queued", 0, {"queue": row.queue, "kind": row.kind}, BEGUN)

    def resume(self, seen: StreamEvent) -> None:
        """The reader heard the stream up to and including this event."""
        self._heard = _place(seen)
        self._end = seen if seen.type in TERMINAL_EVENTS else None

    def hear(self, events: Iterable[StreamEvent]) -> Iterator[Frame]:
        """Tell what is new in the stream. An end is kept back, and forgotten when anything follows it."""
        for event in events:
            self._end = event if event.type in TERMINAL_EVENTS else None
            if self._end is None and not self._is_repetition(event):
                self._heard = max(self._heard, _place(event))
                yield self._frame(event.type, event.attempt, event.data, event.id)

    @property
    def holds_end(self) -> bool:
        """Whether the stream has come to an end that the row is to confirm."""
        return self._end is not None

    def knows_end(self, row: JobRow) -> bool:
        """Whether the last event heard is the end at which the row stands."""
        return self._end is not None and (self._end.type, self._end.attempt) == (row.status, row.attempt)

    def is_behind(self, row: JobRow) -> bool:
        """Whether the row knows of something that the stream has not told."""
        return not row.live or _row_place(row) > self._heard

    def catch_up(self, row: JobRow) -> Iterator[Frame]:
        """Tell from the row which delivery the job is at, as far as that is new."""
        delivery, started = _row_place(row)
        if self._heard < (delivery, 0):
            yield self._frame("queued", delivery - 1, {"queue": row.queue, "kind": row.kind})
        if started and self._heard < (delivery, 1):
            if self._heard > QUEUED and delivery > 1:
                yield self._frame("reset", delivery, {})
            yield self._frame("started", delivery, {"queue": row.queue})
        self._heard = self._vouched = max(self._heard, (delivery, started))

    def end(self, row: JobRow, document: bytes) -> Frame:
        """The last frame: the document as the ledger has it."""
        confirmed = self._end if self.knows_end(row) else None
        return Frame(row.status, document, confirmed.id if confirmed is not None else None)

    def _is_repetition(self, event: StreamEvent) -> bool:
        if event.type == "queued" and _place(event) < self._heard:  # told so late that its job had started
            return True
        if event.type in ("queued", "started", "reset"):
            return _place(event) <= self._vouched
        return event.attempt < self._vouched[0]

    def _frame(self, event: str, attempt: int, data: dict[str, Any], stream_id: str | None = None) -> Frame:
        return Frame(event, encode({**data, "job_id": self._job_id, "attempt": attempt}), stream_id)


def _place(event: StreamEvent) -> Place:
    return (event.attempt + 1, 0) if event.type == "queued" else (event.attempt, 1)


def _row_place(row: JobRow) -> Place:
    if row.status == "queued" or row.started_at is None:
        return (row.attempt + 1, 0)
    return (row.attempt, 1)
