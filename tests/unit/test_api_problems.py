"""Problem documents: one form, one registry, nothing inner in them."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

import asyncpg
import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import exc

import app.api
import app.engine
import app.tenancy
from app.api.catalogue import problem_types
from app.api.outages import is_outage
from app.api.problems import invalid, point_below, problem, problem_response, refusals
from app.api.refusals import InvalidRequest, JobNotFound, OutOfService
from app.engine.requests import InvalidInput
from app.kit.errors import Refusal, Unavailable
from app.tenancy.access import Unauthorized


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: int
    parts: list[int] = []


def test_a_problem_document_has_every_member_of_the_contract() -> None:
    found = problem(JobNotFound("No such job."), "r-1")
    assert found == {
        "type": "/problems/job_not_found",
        "title": JobNotFound.title,
        "status": 404,
        "detail": "No such job.",
        "code": "job_not_found",
        "request_id": "r-1",
    }


def test_extra_members_are_told_and_cannot_pose_as_the_standard_ones() -> None:
    found = problem(
        InvalidRequest("d", lane_queue_size=6, code="forged", errors=[{"pointer": "/a", "detail": "b"}]), "r"
    )
    assert (found["lane_queue_size"], found["code"]) == (6, "invalid_request")
    assert found["errors"] == [{"pointer": "/a", "detail": "b"}]


def test_headers_say_when_to_come_back_and_how_to_identify_oneself() -> None:
    response = problem_response(OutOfService("d", retry_after=2), "r")
    assert response.headers["Retry-After"] == "2"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem_response(Unauthorized("d"), "r").headers["WWW-Authenticate"] == "Bearer"


def test_validation_points_at_what_is_wrong_and_does_not_repeat_it() -> None:
    with pytest.raises(ValidationError) as caught:
        Item.model_validate({"name": "hunter2", "parts": [1, "hunter3"], "a/b~c": "hunter4"})
    refusal = invalid(caught.value, "/body/jobs/3")
    assert [each["pointer"] for each in refusal.errors or ()] == [
        "/body/jobs/3/name",
        "/body/jobs/3/parts/1",
        "/body/jobs/3/a~1b~0c",
    ]
    assert "hunter" not in str(problem(refusal, "r"))


def test_request_validation_points_from_the_request_down() -> None:
    error = RequestValidationError([{"loc": ("query", "limit"), "msg": "too large", "type": "x", "input": "secret"}])
    assert invalid(error).errors == [{"pointer": "/query/limit", "detail": "too large"}]


def test_pointers_of_a_subject_are_moved_to_where_the_subject_stands() -> None:
    refusal = InvalidInput("d", errors=[{"pointer": "/input/seconds", "detail": "too long"}])
    assert point_below(refusal, "/body").errors == [{"pointer": "/body/input/seconds", "detail": "too long"}]


def test_a_routes_documentation_joins_refusals_of_one_status() -> None:
    documented = refusals(InvalidRequest, JobNotFound, InvalidInput)
    assert list(documented) == [404, 422]
    assert "invalid_request" in documented[422]["description"]
    assert "invalid_input" in documented[422]["description"]


def test_every_code_has_one_class_that_says_the_cure() -> None:
    for package in (app.api, app.engine, app.tenancy):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    ours = [each for each in _below(Refusal) if each.__module__.startswith("app.")]
    assert {each.code for each in ours} <= set(problem_types())
    assert [code for code, count in Counter(each.code for each in ours).items() if count > 1] == []
    for each in ours:
        assert each.title != Refusal.title, each
        assert each.cure != Refusal.cure, each
        assert 400 <= each.status < 600, each


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("away"),
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.AdminShutdownError(),
        asyncpg.TooManyConnectionsError(),
        RedisConnectionError(),
        exc.OperationalError("select secret", None, Exception()),
        exc.TimeoutError(),
        exc.DBAPIError("select secret", None, Exception(), connection_invalidated=True),
    ],
)
def test_an_outage_is_known_as_one(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error", [ValueError(), asyncpg.UndefinedTableError(), exc.ProgrammingError("select 1", None, Exception())]
)
def test_a_bug_is_not_taken_for_an_outage(error: Exception) -> None:
    assert not is_outage(error)


def _below(base: type[Refusal]) -> list[type[Refusal]]:
    return [found for each in base.__subclasses__() for found in (each, *_below(each))]
