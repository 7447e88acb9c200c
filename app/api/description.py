"""The OpenAPI document, completed with what holds for every route, so that no route can forget it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi import FastAPI

from app.api.catalogue import problem_types
from app.api.deps import GUARDED
from app.api.examples import JOBS, OF_SCHEMAS, example_of
from app.api.headers import HEADERS, headers
from app.api.problems import MEDIA_TYPE, example_problem, refusals
from app.api.refusals import (
    BodyTooLarge,
    BodyTooSlow,
    HeadersTooLarge,
    InvalidJson,
    InvalidRequest,
    UnsupportedMediaType,
)

TAGS = {
    "jobs": "Submit work, follow it, stop it, try it again.",
    "kinds": "What can be submitted here.",
    "chat": "Talk with a tutor; read what was said.",
    "agents": "A tenant's own prompts by name.",
    "exams": "Papers, score sheets and keys that become exams: upload, correct, confirm, report.",
    "assignments": "What students are to do: upload, correct, confirm, read.",
    "profiles": "What is known of students: how well they know what, and what to practise next.",
    "llm": "The language model of a tenant's own; for the tenant's administrators.",
    "operators": "Queues, workers, lanes and jobs, across tenants; for operators.",
    "tenants": "The registry of tenants; for operators.",
    "keys": "API keys of a tenant; for operators and the tenant's administrators.",
    "audit": "Who did what to which id from where; for operators.",
    "health": "For whoever keeps the process running. No key is asked for.",
    "problems": "Every error code with its cure. No key is asked for.",
}

EVERYWHERE = refusals(HeadersTooLarge)
WITH_BODY = refusals(InvalidJson, InvalidRequest, BodyTooLarge, BodyTooSlow, UnsupportedMediaType)

Operation = dict[str, Any]


def install(app: FastAPI) -> None:
    """Let the application describe itself completely."""
    generate = app.openapi

    @cache
    def described() -> dict[str, Any]:
        return complete(generate())

    app.openapi = described  # type: ignore[method-assign] # FastAPI's own way to extend the document


def complete(document: dict[str, Any]) -> dict[str, Any]:
    components = document["components"]
    components["headers"] = HEADERS
    components["examples"] = {name: {"value": value} for name, value in JOBS.items()} | {
        code: {"summary": each.title, "description": each.cure, "value": example_problem(each)}
        for code, each in problem_types().items()
    }
    for name, example in OF_SCHEMAS.items():
        components["schemas"][name]["examples"] = [example]
    used = set()
    for operation in _operations(document):
        used |= set(operation["tags"])
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _never_null(parameter["schema"])
        _add_refusals(operation)
        _add_headers(operation)
        _add_examples(operation, components["schemas"])
    in_order = [*(tag for tag in TAGS if tag in used), *sorted(used - set(TAGS))]
    document["tags"] = [{"name": tag, "description": TAGS.get(tag, "")} for tag in in_order]
    return document


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path in document["paths"].values():
        yield from path.values()


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is not one that may be null, which no query or header can say."""
    given: list[dict[str, Any]] = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(given) != 1:
        return schema
    return {name: value for name, value in schema.items() if name != "anyOf"} | given[0]


def _add_refusals(operation: Operation) -> None:
    for condition, more in (("responses", EVERYWHERE), ("security", GUARDED), ("requestBody", WITH_BODY)):
        if condition in operation:
            for status, response in more.items():
                known = operation["responses"].setdefault(str(status), {"content": {MEDIA_TYPE: {}}})
                media = response["content"][MEDIA_TYPE]
                examples = known["content"][MEDIA_TYPE].get("examples", {}) | media["examples"]
                known["content"][MEDIA_TYPE] = media | {"examples": examples}
    for response in operation["responses"].values():
        codes = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        if codes:
            response["description"] = " ".join(f"`{code}`: {problem_types()[code].title}." for code in codes)


def _add_headers(operation: Operation) -> None:
    for status, response in operation["responses"].items():
        names = ["X-Request-ID"]
        if "security" in operation and status != "401":
            names += ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
        if status in ("202", "429") or (status == "503" and MEDIA_TYPE in response.get("content", {})):
            names.append("Retry-After")
        if status == "401":
            names.append("WWW-Authenticate")
        response["headers"] = headers(*names) | response.get("headers", {})


def _add_examples(operation: Operation, schemas: dict[str, Any]) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for body in [*bodies, *operation["responses"].values()]:
        for media in body.get("content", {}).values():
            if "example" not in media and "examples" not in media:
                media["example"] = example_of(media["schema"], schemas)
