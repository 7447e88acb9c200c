"""GET /problems: what every error code means and how it is cured. A problem's `type` leads here."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Header, Response
from pydantic import BaseModel

from app.api.examples import shown
from app.api.problems import Problem, example_problem, refusals
from app.api.refusals import InvalidRequest, ProblemNotFound
from app.api.wire import JsonResponse, edge_router
from app.kit.errors import Refusal

router = edge_router("problems")


class ProblemType(BaseModel):
    """One error code."""

    code: str
    title: str
    status: int
    cure: str
    example: Problem


class ProblemList(BaseModel):
    data: list[ProblemType]


def problem_types() -> dict[str, type[Refusal]]:
    """Every refusal of this process by its code: declaring the class is all that it takes."""
    return {each.code: each for each in sorted(_below(Refusal), key=lambda each: (each.status, each.code))}


@router.get("/problems", summary="List every error code", responses={200: {"model": ProblemList}})
async def list_problems() -> Response:
    return JsonResponse({"data": [_describe(each) for each in problem_types().values()]})


@router.get(
    "/problems/{code}",
    summary="Explain an error code",
    responses={
        200: {"model": ProblemType, "content": shown("<!doctype html>...", "text/html")},
        **refusals(ProblemNotFound, InvalidRequest),
    },
)
async def read_problem(code: str, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
    found = problem_types().get(code)
    if found is None:
        raise ProblemNotFound("No error of this API has this code.")
    if "text/html" in accept:
        return Response(_page(found), media_type="text/html")
    return JsonResponse(_describe(found))


def _below(base: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


def _describe(refusal: type[Refusal]) -> dict[str, Any]:
    described = {"code": refusal.code, "title": refusal.title, "status": refusal.status, "cure": refusal.cure}
    return {**described, "example": example_problem(refusal)}


def _page(refusal: type[Refusal]) -> str:
    title, code, cure = (html.escape(text) for text in (refusal.title, refusal.code, refusal.cure))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{code}</title>'
        f"<h1>{title}</h1><p><code>{code}</code>, HTTP {refusal.status}</p><p>{cure}</p></html>"
    )
