"""W3C Trace Context: what a header must look like, and where a job's own trace is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.context import JobContext
from app.kit import trace
from app.kit.logging import log_context
from tests.unit.test_execute import run_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (GOOD, GOOD),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"cc-{TRACE}-{SPAN}-01", GOOD),  # of a later version, as much as is known
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-is-like", GOOD),
        (f"{GOOD}-more", None),  # version 00 has no more
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (GOOD.upper(), None),
        (f" {GOOD}", None),
        (f"{GOOD}\n", None),
        (f"00-{TRACE}-{SPAN}", None),
        (f"cc-{TRACE}-{SPAN}-01x", None),
        ("", None),
    ],
)
def test_a_header_is_read_as_the_standard_says(header: str, kept: str | None) -> None:
    assert trace.read(header) == kept


@given(st.text())
def test_whatever_is_read_has_the_one_form_that_is_kept(header: str) -> None:
    for text in (header, GOOD + header, header + GOOD[2:]):
        read = trace.read(text)
        assert read is None or (len(read) == len(GOOD) and trace.read(read) == read)


async def test_a_job_function_knows_its_trace_and_so_do_its_log_lines() -> None:
    seen: list[tuple[str | None, str | None, object]] = []

    async def function(ctx: JobContext) -> None:
        seen.append((ctx.traceparent, trace.current(), log_context().get("trace_id")))

    for traceparent in (GOOD, None):
        await run_of(function, traceparent=traceparent)[1]
    assert seen == [(GOOD, GOOD, TRACE), (None, None, None)]
    assert trace.current() is None
