"""What a reader is told of a job, from two sources that disagree in every way that they can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from app.api.jobs.story import Frame, Story
from app.engine.events import StreamEvent
from app.engine.ledger.rows import JobRow
from tests.unit.test_api_documents import ROW

QUEUED = StreamEvent("1-0", 0, "queued", {"queue": "chat"})
STARTED = StreamEvent("2-0", 1, "started", {"queue": "chat"})
PROGRESS = StreamEvent("3-0", 1, "progress", {"progress": 50})
FAILED = StreamEvent("4-0", 1, "failed", {"error": "x"})
REQUEUED = StreamEvent("5-0", 1, "queued", {"queue": "chat"})
RESET = StreamEvent("6-0", 2, "reset", {})
RESTARTED = StreamEvent("7-0", 2, "started", {"queue": "chat"})
DONE = StreamEvent("8-0", 2, "done", {})


def row(status: str, attempt: int, *, started: bool = True) -> JobRow:
    return replace(ROW, status=status, attempt=attempt, started_at=ROW.updated_at if started else None)


def heard(story: Story, *events: StreamEvent) -> list[str]:
    return [name(frame) for frame in story.hear(events)]


def caught_up(story: Story, job: JobRow) -> list[str]:
    return [name(frame) for frame in story.catch_up(job)]


def name(frame: Frame) -> str:
    """`started(2)` from the stream, `started(2)*` from the row."""
    attempt = orjson.loads(frame.data)["attempt"]
    return f"{frame.event}({attempt}){'' if frame.id else '*'}"


def test_a_frame_is_what_an_event_source_reads() -> None:
    assert Frame("done", b"{}", "1-0").encode() == b"id: 1-0\nevent: done\ndata: {}\n\n"
    assert Frame("queued", b"{}").encode() == b"event: queued\ndata: {}\n\n"


def test_a_beginning_that_is_told_after_the_start_is_left_out() -> None:
    assert heard(Story("j"), STARTED, QUEUED, PROGRESS) == ["started(1)", "progress(1)"]
    assert heard(Story("j"), STARTED, FAILED, REQUEUED, RESTARTED) == ["started(1)", "queued(1)", "started(2)"]


def test_the_job_and_its_attempt_are_always_told_and_cannot_be_forged() -> None:
    forged = StreamEvent("1-0", 1, "progress", {"job_id": "other", "attempt": 9, "progress": 5})
    (frame,) = Story("j").hear([forged])
    assert orjson.loads(frame.data) == {"job_id": "j", "attempt": 1, "progress": 5}


def test_events_are_told_as_they_come_and_the_end_waits_for_the_row() -> None:
    story = Story("j")
    assert heard(story, QUEUED, STARTED, PROGRESS, FAILED) == ["queued(0)", "started(1)", "progress(1)"]
    assert story.knows_end(row("failed", 1))
    assert caught_up(story, row("failed", 1)) == []
    assert story.end(row("failed", 1), b"{}") == Frame("failed", b"{}", "4-0")


def test_an_end_that_a_retry_undid_is_not_told() -> None:
    story = Story("j")
    told = heard(story, QUEUED, STARTED, FAILED, REQUEUED, RESET, RESTARTED, DONE)
    assert told == ["queued(0)", "started(1)", "queued(1)", "reset(2)", "started(2)"]
    assert story.end(row("done", 2), b"{}").id == "8-0"


def test_an_end_in_the_stream_is_no_end_while_the_row_lives() -> None:
    story = Story("j")
    heard(story, QUEUED, STARTED, FAILED)
    assert story.holds_end
    assert not story.knows_end(row("queued", 1))
    assert not story.knows_end(row("done", 2))
    assert heard(story, REQUEUED) == ["queued(1)"]
    assert not story.holds_end


def test_without_a_stream_the_row_tells_the_lifecycle() -> None:
    assert caught_up(Story("j"), row("queued", 0, started=False)) == ["queued(0)*"]
    assert caught_up(Story("j"), row("processing", 3)) == ["queued(2)*", "started(3)*"]
    assert caught_up(Story("j"), row("done", 1)) == ["queued(0)*", "started(1)*"]
    assert caught_up(Story("j"), row("cancelled", 0, started=False)) == ["queued(0)*"]
    assert Story("j").end(row("done", 1), b"{}").id is None


def test_the_row_tells_each_step_once() -> None:
    story = Story("j")
    assert caught_up(story, row("queued", 0, started=False)) == ["queued(0)*"]
    assert not story.is_behind(row("queued", 0, started=False))
    assert caught_up(story, row("processing", 1)) == ["started(1)*"]
    assert caught_up(story, row("queued", 1)) == ["queued(1)*"]
    assert caught_up(story, row("processing", 2)) == ["reset(2)*", "started(2)*"]
    assert caught_up(story, row("processing", 2)) == []


def test_a_stream_that_comes_back_does_not_repeat_what_the_row_told() -> None:
    story = Story("j")
    caught_up(story, row("processing", 2))
    told = heard(story, QUEUED, STARTED, PROGRESS, REQUEUED, RESET, RESTARTED, StreamEvent("9-0", 2, "delta", {}))
    assert told == ["delta(2)"]


def test_the_row_goes_on_where_the_stream_fell_silent() -> None:
    story = Story("j")
    heard(story, QUEUED, STARTED, PROGRESS)
    assert not story.is_behind(row("processing", 1))
    assert story.is_behind(row("processing", 2))
    assert caught_up(story, row("processing", 2)) == ["queued(1)*", "reset(2)*", "started(2)*"]


def test_a_reader_who_comes_back_is_not_told_again() -> None:
    story = Story("j")
    story.resume(PROGRESS)
    assert not story.is_behind(row("processing", 1))
    assert caught_up(story, row("processing", 1)) == []
    assert heard(story, FAILED) == []
    assert story.knows_end(row("failed", 1))


def test_a_reader_who_has_seen_the_end_knows_it() -> None:
    story = Story("j")
    story.resume(FAILED)
    assert story.knows_end(row("failed", 1))
    assert not story.knows_end(row("cancelled", 1))
    assert story.is_behind(row("queued", 1))
    assert caught_up(story, row("queued", 1)) == ["queued(1)*"]


def any_of(**fields: Any) -> JobRow:
    return replace(ROW, **fields)


def test_a_job_that_was_cancelled_in_the_queue_never_started() -> None:
    story = Story("j")
    heard(story, QUEUED, StreamEvent("2-0", 0, "cancelled", {}))
    cancelled = any_of(status="cancelled", attempt=0)
    assert caught_up(story, cancelled) == []
    assert story.end(cancelled, b"{}").id == "2-0"
