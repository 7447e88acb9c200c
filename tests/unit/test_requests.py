"""From a wish to a job: what is refused, how it is told, and what makes two wishes the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, Field

from app.engine.diagnostics import Echo
from app.engine.requests import InvalidInput, InvalidPlacement, UnknownKind, Wish, accept
from app.engine.workload import JobKind, Registry, Workload
from app.kit.errors import Refusal


class Page(BaseModel):
    number: int
    words: list[str] = Field(max_length=2)


class Book(BaseModel):
    title: str
    pages: list[Page]
    language: str = "en"


def kind(name: str, **more: Any) -> JobKind:
    given: dict[str, Any] = {"task": "", "input": Echo, "result": Echo, "summary": ""}
    return JobKind(name=name, **given | more)


REGISTRY = Registry(
    [
        Workload("base", 1, ""),
        Workload(
            "chat",
            3,
            "",
            kinds=(
                kind("chat.read", input=Book, timeout=7.0, max_attempts=2),
                kind("chat.own_lane", lanes=False),
                kind("chat.inner", public=False),
            ),
        ),
    ],
    shared_kinds=[kind("diagnostics.echo")],
)
BOOK = {"title": "Physics", "pages": [{"number": 1, "words": ["a"]}]}


def wish(name: str = "diagnostics.echo", value: Any = None, **more: Any) -> Wish:
    return Wish(tenant_id="demo", kind=name, input=value, **more)


def keyed(name: str = "diagnostics.echo", value: Any = None, **more: Any) -> Wish:
    """A wish that may be compared with another: what nothing is compared with has no fingerprint."""
    return wish(name, value, idempotency_key="k", **more)


def refused(given: Wish, **options: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        accept(REGISTRY, given, **options)
    return caught.value


def test_an_accepted_wish_carries_what_its_kind_says() -> None:
    job = accept(REGISTRY, wish("chat.read", BOOK, priority=3, lane="lane", request_id="r", session_id="s"))
    assert (job.queue, job.kind, job.timeout, job.max_attempts) == ("chat", "chat.read", 7.0, 2)
    assert (job.priority, job.lane_id, job.request_id, job.session_id) == (3, "lane", "r", "s")
    assert job.input == '{"title":"Physics","pages":[{"number":1,"words":["a"]}],"language":"en"}'


def test_a_shared_kind_runs_where_it_is_asked_to_and_else_on_base() -> None:
    assert accept(REGISTRY, wish()).queue == "base"
    assert accept(REGISTRY, wish(queue="chat")).queue == "chat"


@pytest.mark.parametrize("name", ["nobody.knows", "", "chat.inner"])
def test_an_unknown_or_inner_kind_is_refused(name: str) -> None:
    refusal = refused(wish(name))
    assert isinstance(refusal, UnknownKind)
    assert refusal.errors == [{"pointer": "/kind", "detail": "not accepted"}]


def test_an_inner_kind_is_accepted_from_inside() -> None:
    assert accept(REGISTRY, wish("chat.inner"), public_only=False).kind == "chat.inner"


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (wish("chat.read", BOOK, queue="base"), "/queue"),
        (wish(queue="nowhere"), "/queue"),
        (wish(lane="lane", run_at=datetime.now(UTC) + timedelta(hours=1)), None),
        (wish("chat.own_lane", lane="lane"), None),
    ],
    ids=["another queue", "no queue", "a lane and a moment", "a lane of the client's"],
)
def test_a_place_that_cannot_be_is_refused(given: Wish, pointer: str | None) -> None:
    refusal = refused(given)
    assert isinstance(refusal, InvalidPlacement)
    assert [error["pointer"] for error in refusal.errors or []] == ([pointer] if pointer else [])


def test_the_right_queue_may_be_named() -> None:
    assert accept(REGISTRY, wish("chat.read", BOOK, queue="chat")).queue == "chat"


def test_what_does_not_fit_is_pointed_at_and_never_repeated() -> None:
    secret = "what the student wrote"
    refusal = refused(wish("chat.read", {"title": 7, "pages": [{"number": secret, "words": [secret] * 3}]}))
    assert isinstance(refusal, InvalidInput)
    pointers = [error["pointer"] for error in refusal.errors or []]
    assert pointers == ["/input/title", "/input/pages/0/number", "/input/pages/0/words"]
    assert secret not in str(refusal.errors) + refusal.detail


def test_pointers_escape_what_json_pointers_must() -> None:
    """RFC 6901: `~` is `~0` and `/` is `~1`, or the pointer points at something else."""

    class Marks(BaseModel):
        scores: dict[str, int]

    registry = Registry([Workload("base", 1, "", kinds=(kind("a.b", input=Marks),))])
    with pytest.raises(InvalidInput) as caught:
        accept(registry, wish("a.b", {"scores": {"1/2 ~ a": "many"}}))
    assert [error["pointer"] for error in caught.value.errors or []] == ["/input/scores/1~12 ~0 a"]


@pytest.mark.parametrize("value", ["\ud800", {"a": ["\udfff"]}, {"\ud800": 1}, 1 << 70, [[["deep"]]]], ids=ascii)
def test_what_no_json_can_hold_is_refused_like_any_other_misfit(value: Any) -> None:
    if value == [[["deep"]]]:
        for _ in range(2000):
            value = [value]
    assert isinstance(refused(wish(value=value)), InvalidInput)


def test_a_lane_that_cannot_be_stored_is_refused() -> None:
    refusal = refused(wish(lane="\ud800"))
    assert isinstance(refusal, InvalidPlacement)
    assert refusal.errors == [{"pointer": "/lane", "detail": "not accepted"}]


def test_equal_wishes_have_equal_fingerprints_whatever_the_order_of_keys() -> None:
    turned = {"pages": [{"words": ["a"], "number": 1}], "title": "Physics"}
    first, second = (accept(REGISTRY, keyed("chat.read", value)) for value in (BOOK, turned))
    assert first.fingerprint == second.fingerprint
    assert first.job_id != second.job_id


def test_a_default_written_out_is_the_same_keyed() -> None:
    written = accept(REGISTRY, keyed("chat.read", BOOK | {"language": "en"}))
    assert written.fingerprint == accept(REGISTRY, keyed("chat.read", BOOK)).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        keyed(value={"a": 2}),
        keyed(value={"a": 1}, queue="chat"),
        keyed(value={"a": 1}, lane="lane"),
        keyed(value={"a": 1}, priority=1),
        keyed(value={"a": 1}, run_at=datetime(2030, 1, 1, tzinfo=UTC)),
        keyed("chat.inner", {"a": 1}),
    ],
    ids=["input", "queue", "lane", "priority", "moment", "kind"],
)
def test_another_wish_has_another_fingerprint(other: Wish) -> None:
    ours = accept(REGISTRY, keyed(value={"a": 1}))
    assert accept(REGISTRY, other, public_only=False).fingerprint != ours.fingerprint


def test_the_request_s_own_marks_do_not_make_it_another() -> None:
    first = accept(REGISTRY, wish(value=1, request_id="a", idempotency_key="k"))
    second = accept(REGISTRY, wish(value=1, request_id="b", idempotency_key="other", bulk=True))
    assert first.fingerprint == second.fingerprint != b""
