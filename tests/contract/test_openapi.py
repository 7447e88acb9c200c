"""The description of the API is complete for every operation, and its examples are true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import jsonschema_rs
import pytest

from app.api.catalogue import problem_types
from tests.support.routes import all_routes, unserved_app

APP = unserved_app()
DOCUMENT: dict[str, Any] = APP.openapi()
PUBLIC = ("/healthz", "/readyz", "/metrics", "/problems", "/problems/{code}")
UNSEEN = ("/docs", "/redoc", "/docs/assets", "/openapi.json", "/console")
PROBLEM = "application/problem+json"


class Operation(NamedTuple):
    method: str
    path: str
    told: dict[str, Any]


OPERATIONS = [
    Operation(method, path, told) for path, methods in DOCUMENT["paths"].items() for method, told in methods.items()
]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.told["operationId"])


def contents(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The media types of a body, each with its schema and its examples by name."""
    for media_type, media in part.get("content", {}).items():
        named = {name: resolved(each)["value"] for name, each in media.get("examples", {}).items()}
        yield media_type, media.get("schema", {}), named | ({"": media["example"]} if "example" in media else {})


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    for name in part.get("$ref", "#").split("/")[1:]:
        part = part[name] if "$ref" not in part else DOCUMENT[name]
    return part


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema | {"components": DOCUMENT["components"]})


def test_every_route_is_described_or_is_a_page() -> None:
    described = {(each.method.upper(), each.path) for each in OPERATIONS}
    routes = {each for each in all_routes(APP) if not each.path.startswith("/t/") and each.path not in UNSEEN}
    assert {tuple(each) for each in routes} == described


def test_operation_ids_are_function_names_and_unique() -> None:
    ids = [each.told["operationId"] for each in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", each) for each in ids)


@each_operation
def test_an_operation_says_what_it_does_and_where_it_belongs(operation: Operation) -> None:
    assert operation.told["summary"]
    described = {each["name"]: each["description"] for each in DOCUMENT["tags"]}
    for tag in operation.told["tags"]:
        assert described[tag], f"say what `{tag}` is about in TAGS of app/api/description.py"


@each_operation
def test_an_operation_names_its_keys(operation: Operation) -> None:
    schemes = {name for each in operation.told.get("security", ()) for name in each}
    expected = set() if operation.path in PUBLIC else {"HTTPBearer"}
    assert schemes >= expected
    assert ("APIKeyHeader" in schemes) is operation.path.startswith("/admin")
    assert schemes <= set(DOCUMENT["components"]["securitySchemes"])
    assert bool(schemes) is (operation.path not in PUBLIC), "name it in PUBLIC if nobody is to be asked for a key"


@each_operation
def test_every_answer_has_a_schema_and_an_example(operation: Operation) -> None:
    for status, response in operation.told["responses"].items():
        assert response["description"], status
        if status not in ("204", "304"):
            found = list(contents(response))
            assert found, f"{status} has no content"
            for media_type, schema, examples in found:
                assert examples, f"{status} {media_type} has no example"
                assert media_type != "application/json" or schema.keys() & {"$ref", "properties", "anyOf"}, status


@each_operation
def test_a_body_has_a_schema_and_an_example(operation: Operation) -> None:
    for media_type, schema, examples in contents(operation.told.get("requestBody", {})):
        assert schema, media_type
        assert examples, media_type


@each_operation
def test_examples_are_what_the_schemas_say(operation: Operation) -> None:
    bodies = [operation.told.get("requestBody", {}), *operation.told["responses"].values()]
    for body in bodies:
        for _, schema, examples in contents(body):
            for name, example in examples.items():
                errors = [each.message for each in validator(schema).iter_errors(example)]
                assert not errors, (name, errors)


@each_operation
def test_every_error_is_shown_by_a_problem_of_that_very_code(operation: Operation) -> None:
    for status, response in operation.told["responses"].items():
        if int(status) < 400 or operation.path == "/readyz":
            continue
        ((media_type, _, examples),) = contents(response)
        assert media_type == PROBLEM
        for code, example in examples.items():
            assert (example["code"], example["status"]) == (code, int(status))
            assert problem_types()[code].title == example["title"]
            assert f"`{code}`" in response["description"]


@each_operation
def test_who_asks_for_a_key_tells_how_it_refuses(operation: Operation) -> None:
    responses = operation.told["responses"]
    assert "431" in responses
    if "security" in operation.told:
        assert {"401", "403", "422", "429", "500", "503"} <= set(responses)
        assert "rate_limited" in responses["429"]["content"][PROBLEM]["examples"]
    if "requestBody" in operation.told:
        assert {"400", "408", "413", "415", "422"} <= set(responses)


@each_operation
def test_headers_are_described(operation: Operation) -> None:
    described = DOCUMENT["components"]["headers"]
    for status, response in operation.told["responses"].items():
        names = set(response["headers"])
        assert names <= set(described)
        assert "X-Request-ID" in names
        assert ("WWW-Authenticate" in names) is (status == "401")
        if "security" in operation.told and status != "401":
            assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= names
        if status == "429":
            assert "Retry-After" in names


def test_headers_of_the_contract_are_described_where_they_are_used() -> None:
    told = {each.told["operationId"]: each.told for each in OPERATIONS}

    def parameters(operation_id: str) -> set[str]:
        return {each["name"] for each in told[operation_id]["parameters"]}

    def answers(operation_id: str, status: str) -> set[str]:
        return set(told[operation_id]["responses"][status]["headers"])

    assert {"Idempotency-Key", "Prefer"} <= parameters("submit_job")
    assert {"If-None-Match", "Prefer"} <= parameters("read_job")
    assert "Last-Event-ID" in parameters("stream_events")
    assert {"Location", "Retry-After", "Idempotency-Replayed", "Preference-Applied"} <= answers("submit_job", "202")
    assert {"ETag", "Retry-After", "Preference-Applied"} <= answers("read_job", "200")
    assert {"ETag"} <= answers("read_job", "304")


def test_the_stream_is_described_with_its_frames() -> None:
    response = DOCUMENT["paths"]["/v1/jobs/{job_id}/events"]["get"]["responses"]["200"]
    ((media_type, schema, examples),) = contents(response)
    assert (media_type, schema) == ("text/event-stream", {"type": "string"})
    for word in ("queued", "started", "progress", "delta", "reset", "done", "failed", "cancelled"):
        assert f"`{word}`" in response["description"]
    frames = examples[""].split("\n\n")
    assert [frame.split("event: ")[1].split("\n")[0] for frame in frames if "event: " in frame] == [
        "queued",
        "started",
        "progress",
        "done",
    ]


def test_no_schema_contradicts_itself() -> None:
    """A `type` beside a `$ref` binds as well: such a schema may be one that nothing can satisfy."""

    def walk(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            yield part
        for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from walk(each)

    assert not [each for each in walk(DOCUMENT["paths"]) if "$ref" in each and "type" in each]
