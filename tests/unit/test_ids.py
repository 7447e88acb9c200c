"""UUIDv7: version and variant, the time in front, and strictly rising within a process."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.kit.ids import uuid7


def test_an_id_is_an_rfc_9562_version_7() -> None:
    made = uuid7()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_the_first_48_bits_are_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    stamp = uuid7().int >> 80
    after = time.time_ns() // 1_000_000
    # The counter may have run ahead by a moment where many ids were made just before.
    assert before <= stamp <= after + 5


def test_ids_rise_strictly_even_within_a_millisecond() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_many_threads_are_unique_and_rise_in_each() -> None:
    def many(_number: int) -> list[int]:
        return [uuid7().int for _ in range(2_000)]

    with ThreadPoolExecutor(8) as threads:
        batches = list(threads.map(many, range(8)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({each for batch in batches for each in batch}) == 16_000


def test_a_clock_that_steps_back_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert uuid7() > first
