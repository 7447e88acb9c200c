"""`homeroom chat`, without a server: what it reads, what it prints, where it goes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from app.client.api import Event, parse
from app.client.chat import Printer
from app.client.place import NoPlace, Place, find_place


def delta(text: str, offset: int) -> Event:
    return Event("delta", {"text": text, "offset": offset})


def end(kind: str, reply: str) -> Event:
    return Event(kind, {"result": {"reply": reply}, "error": "e", "error_detail": "d"})


def shown(*events: Event) -> str:
    out = io.StringIO()
    printer = Printer(out, io.StringIO())
    for event in events[:-1]:
        printer.hear(event)
    printer.end(events[-1])
    return out.getvalue()


def test_frames_are_read_and_a_half_one_is_not() -> None:
    lines = [": keep-alive", "", "id: 1-0", "event: delta", 'data: {"text": "a: b"}', "", "event: done", "data: {}"]
    assert list(parse(iter(lines))) == [(Event("delta", {"text": "a: b"}), "1-0")]


def test_a_reply_is_printed_once_and_whole() -> None:
    assert shown(delta("one ", 0), delta("two", 4), end("done", "one two")) == "one two\n"
    assert shown(delta("one ", 0), end("done", "one two")) == "one two\n"  # what was missed comes with the end
    assert shown(delta("one ", 0), delta("one ", 0), delta("two", 4), end("done", "one two")) == "one two\n"


def test_another_attempt_in_other_words_begins_a_new_line() -> None:
    reset = Event("reset", {})
    assert shown(delta("void", 0), reset, delta("other", 0), end("done", "other")) == "void\nother\n"
    assert shown(delta("same", 0), reset, delta("sa", 0), delta("me!", 2), end("done", "same!")) == "same!\n"


@pytest.mark.parametrize(("kind", "code"), [("done", 0), ("failed", 1), ("cancelled", 130)])
def test_the_exit_code_says_how_it_ended(kind: str, code: int) -> None:
    assert Printer(io.StringIO(), io.StringIO()).end(end(kind, "")) == code


def test_where_to_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOMEROOM_URL", "HOMEROOM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "ready.json"
    with pytest.raises(NoPlace, match="homeroom up"):
        find_place(None, None, file)
    file.write_text(json.dumps({"url": "http://here", "api_key": "k"}))
    assert find_place(None, None, file) == Place("http://here", "k")
    with pytest.raises(NoPlace, match="--key"):  # the key that is written down is not for another place
        find_place("http://elsewhere", None, file)
    monkeypatch.setenv("HOMEROOM_URL", "http://there")
    monkeypatch.setenv("HOMEROOM_API_KEY", "env")
    assert find_place(None, None, file) == Place("http://there", "env")
    assert find_place("http://said", "said", file) == Place("http://said", "said")
