"""GET /kinds: what can be submitted here."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, Field

from app.api.deps import Caller, TheServices
from app.api.wire import JsonResponse, edge_router
from app.engine.workload import JobKind

router = edge_router("kinds")


class KindDocument(BaseModel):
    """One kind of job."""

    kind: str
    queue: Annotated[str | None, Field(description="null: it runs on every queue, and the submit says which")]
    summary: str
    timeout_seconds: Annotated[float, Field(description="How long one attempt may run")]
    max_attempts: int
    lanes: Annotated[bool, Field(description="Whether a submit may name a lane")]
    input_schema: dict[str, Any]
    result_schema: dict[str, Any]


class KindList(BaseModel):
    data: list[KindDocument]


@router.get("/kinds", summary="List the kinds of jobs", responses={200: {"model": KindList}})
async def list_kinds(services: TheServices, _: Caller) -> Response:
    """Every kind that `POST /v1/jobs` takes here, with the JSON schemas of its input and its result."""
    return JsonResponse({"data": [_describe(*each) for each in services.registry.all_kinds() if each[0].public]})


@cache
def _describe(kind: JobKind, queue: str | None) -> dict[str, Any]:
    return {
        "kind": kind.name,
        "queue": queue,
        "summary": kind.summary,
        "timeout_seconds": kind.timeout,
        "max_attempts": kind.max_attempts,
        "lanes": kind.lanes,
        "input_schema": kind.input.model_json_schema(mode="validation"),
        "result_schema": kind.result.model_json_schema(mode="serialization"),
    }
