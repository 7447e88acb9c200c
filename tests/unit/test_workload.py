"""The registry: which kinds run where, and no name twice."""

from __future__ import annotations

import pytest

from app.engine.diagnostics import Echo, sleep
from app.engine.workload import JobKind, Registry, Workload, resolve


def kind(name: str) -> JobKind:
    return JobKind(name=name, task="", input=Echo, result=Echo, summary="")


SHARED = kind("shared.kind")
CHAT = Workload("chat", 3, "", kinds=(kind("chat.reply"),))
EXAM = Workload("exam", 4, "", kinds=(kind("exam.parse"), kind("exam.regrade")))
REGISTRY = Registry([CHAT, EXAM], shared_kinds=[SHARED])


def test_a_kind_is_found_with_its_queue() -> None:
    assert REGISTRY.find("exam.parse") == (EXAM.kinds[0], "exam")
    assert REGISTRY.find("shared.kind") == (SHARED, None)
    assert REGISTRY.find("nobody.knows") is None


def test_a_queue_runs_its_own_kinds_and_the_shared_ones() -> None:
    assert set(REGISTRY.kinds_of("chat")) == {"chat.reply", "shared.kind"}
    assert set(REGISTRY.kinds_of("exam")) == {"exam.parse", "exam.regrade", "shared.kind"}


def test_every_kind_is_listed_once() -> None:
    listed = {each.name: queue for each, queue in REGISTRY.all_kinds()}
    assert listed == {"chat.reply": "chat", "exam.parse": "exam", "exam.regrade": "exam", "shared.kind": None}


@pytest.mark.parametrize(
    ("workloads", "shared"),
    [
        ([CHAT, Workload("other", 5, "", kinds=(kind("chat.reply"),))], []),
        ([Workload("twice", 5, "", kinds=(kind("a.b"), kind("a.b")))], []),
        ([CHAT], [kind("chat.reply")]),
        ([], [kind("a.b"), kind("a.b")]),
        ([CHAT, Workload("chat", 5, "")], []),
    ],
    ids=["of two queues", "of one queue", "of a queue and shared", "both shared", "a queue"],
)
def test_two_of_one_name_are_refused(workloads: list[Workload], shared: list[JobKind]) -> None:
    with pytest.raises(ValueError, match="two"):
        Registry(workloads, shared_kinds=shared)


def test_a_dotted_path_resolves() -> None:
    assert resolve("app.engine.diagnostics:sleep") is sleep
    with pytest.raises(AttributeError):
        resolve("app.engine.diagnostics:absent")
