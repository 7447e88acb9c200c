"""The job document: exactly the contract's words, moments in UTC, lane fields only in lanes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.api.jobs.documents import JobDocument, job_document, see
from app.engine.ledger.rows import JobRow, LanePlace

JOB_ID = UUID("0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c")
ROW = JobRow(
    job_id=JOB_ID,
    tenant_id="demo",
    queue="chat",
    kind="chat.reply",
    status="queued",
    step=None,
    progress=0,
    attempt=0,
    max_attempts=5,
    priority=7,
    bulk=False,
    error=None,
    error_detail=None,
    result=None,
    request_id="r-1",
    session_id=None,
    lane_id=None,
    lane_seq=None,
    created_at=datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC),
    updated_at=datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC),
    run_at=None,
    started_at=None,
    finished_at=None,
)
WORDS = (
    "job_id queue kind status step progress attempt max_attempts error error_detail result request_id created_at "
    "updated_at scheduled_for started_at finished_at links"
)


def document(row: JobRow = ROW, **details: Any) -> dict[str, Any]:
    """The document as a client reads it."""
    read: dict[str, Any] = orjson.loads(see(row, **{"base": "/v1"} | details).body)
    return read


def test_a_plain_job_has_the_contracts_words_and_no_others() -> None:
    assert set(document()) == set(WORDS.split())


def test_moments_are_utc_with_a_z() -> None:
    assert document()["created_at"] == "2026-03-04T05:06:07.000089Z"
    assert document()["updated_at"] == "2026-03-04T05:06:08Z"


def test_the_links_have_the_prefix_that_the_request_came_by() -> None:
    path = f"/t/demo/v1/jobs/{JOB_ID}"
    links = document(base="/t/demo/v1")["links"]
    assert links == {"self": path, **{verb: f"{path}/{verb}" for verb in ("events", "cancel", "retry")}}


def test_scheduled_for_is_the_rows_run_at() -> None:
    assert document(replace(ROW, run_at=ROW.updated_at))["scheduled_for"] == "2026-03-04T05:06:08Z"


def test_a_job_in_a_lane_says_where_it_stands() -> None:
    row = replace(ROW, lane_id="student:1", lane_seq=4)
    found = document(row, place=LanePlace(2, 3, active=True))
    lane = {name: value for name, value in found.items() if name.startswith("lane_")}
    assert lane == {
        "lane_id": "student:1",
        "lane_queue_position": 2,
        "lane_queue_size": 3,
        "lane_active": True,
    }


def test_a_job_that_has_ended_stands_in_no_lane_any_more() -> None:
    found = document(replace(ROW, lane_id="l", lane_seq=4, status="done"))
    assert (found["lane_id"], found["lane_active"]) == ("l", False)
    assert (found["lane_queue_position"], found["lane_queue_size"]) == (0, 0)


def test_session_and_debounce_are_told_only_where_there_is_one() -> None:
    found = document(replace(ROW, session_id="s"), debounced=True)
    assert (found["session_id"], found["debounced"]) == ("s", True)


def test_a_result_as_deep_as_an_encoder_goes_can_still_be_shown() -> None:
    deep: Any = "bottom"
    for _ in range(250):
        deep = [deep]
    shown = document(replace(ROW, result=deep))["result"]
    assert shown == deep


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        replace(ROW, lane_id="l", lane_seq=1),
        replace(ROW, status="done", result={"a": 1}, finished_at=ROW.updated_at),
    ],
)
def test_the_documented_model_is_the_document(row: JobRow) -> None:
    shown = job_document(row, base="/v1", debounced=True)
    assert set(shown) <= set(JobDocument.model_fields)
    JobDocument.model_validate(orjson.loads(see(row, base="/v1").body))
    always = {name for name, field in JobDocument.model_fields.items() if field.is_required()}
    assert always <= set(shown)


def test_the_tag_follows_the_document() -> None:
    assert see(ROW, base="/v1").etag == see(replace(ROW), base="/v1").etag
    assert see(ROW, base="/v1").etag != see(replace(ROW, progress=1), base="/v1").etag
