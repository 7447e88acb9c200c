"""What a client may write to submit a job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.api.jobs.schemas import BulkItem, BulkSubmission, JobSubmission


def submission(**fields: Any) -> JobSubmission:
    return JobSubmission.model_validate({"kind": "diagnostics.echo"} | fields)


def test_only_the_kind_is_demanded() -> None:
    assert submission().input == {}
    assert submission(input=None).input is None


def test_a_moment_is_kept_in_utc() -> None:
    read = submission(run_at="2030-01-01T08:00:00+08:00").run_at
    assert read == datetime(2030, 1, 1, tzinfo=UTC)
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "fields",
    [
        {"run_at": "2030-01-01T00:00:00"},
        {"run_at": 1893456000},
        {"run_at": "9999-12-31T23:59:59-23:59"},
        {"priority": 101},
        {"priority": -101},
        {"priority": "5"},
        {"priority": True},
        {"priority": 1.5},
        {"lane": ""},
        {"lane": "a\x00b"},
        {"lane": "x" * 201},
        {"kind": ""},
        {"tenant_id": "other"},
    ],
)
def test_anything_else_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        submission(**fields)


def test_a_wish_carries_everything_on() -> None:
    wish = submission(queue="chat", lane="l", priority=5, input={"a": 1}).wish("demo", key="client:k", request_id="r")
    assert (wish.tenant_id, wish.kind, wish.queue, wish.lane) == ("demo", "diagnostics.echo", "chat", "l")
    assert (wish.priority, wish.input, wish.idempotency_key, wish.request_id) == (5, {"a": 1}, "client:k", "r")


def test_a_bulk_request_leaves_its_items_to_be_checked_one_by_one() -> None:
    bulk = BulkSubmission.model_validate({"jobs": [{"kind": "diagnostics.echo"}, 5, {"nonsense": True}]})
    assert len(bulk.jobs) == 3
    with pytest.raises(ValidationError):
        BulkItem.model_validate(bulk.jobs[1])


@pytest.mark.parametrize("jobs", [[], [{}] * 1001, None, {}])
def test_a_bulk_request_has_one_to_a_thousand_items(jobs: Any) -> None:
    with pytest.raises(ValidationError):
        BulkSubmission.model_validate({"jobs": jobs})
