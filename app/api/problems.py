"""Every error leaves as `application/problem+json` (RFC 9457), and none of them with anything inner in it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from app.api.examples import REQUEST_ID
from app.api.outages import OUTAGES, is_outage
from app.api.refusals import (
    BodyTooLarge,
    BodyTooSlow,
    InternalError,
    InvalidJson,
    InvalidRequest,
    MethodNotAllowed,
    OutOfService,
    UnsupportedMediaType,
)
from app.api.wire import JsonResponse
from app.kit.errors import Refusal, Unavailable
from app.kit.logging import get_logger
from app.tenancy.access import UnknownTenant

MEDIA_TYPE = "application/problem+json"
OUTAGE_RETRY_SECONDS = 2
NOTHING_HERE = "There is nothing at this address."

log = get_logger(__name__)


class PointedError(BaseModel):
    """One thing that is wrong, and where."""

    pointer: Annotated[str, Field(description="JSON pointer into the request", examples=["/body/kind"])]
    detail: Annotated[str, Field(examples=["Field required"])]


class Problem(BaseModel):
    """An error. Codes are stable and more members may come; decide by `code`, show `detail`."""

    type: Annotated[str, Field(examples=["/problems/invalid_request"])]
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(examples=["invalid_request"])]
    request_id: str
    errors: list[PointedError] | None = None


def problem(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """The problem document of a refusal."""
    document: dict[str, Any] = {
        **refusal.extra,
        "type": f"/problems/{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
        "request_id": request_id,
    }
    if refusal.errors:
        document["errors"] = refusal.errors
    return document


def problem_response(refusal: Refusal, request_id: str, headers: dict[str, str] | None = None) -> Response:
    headers = dict(headers or {})
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    content = problem(refusal, request_id)
    return JsonResponse(content, status_code=refusal.status, headers=headers, media_type=MEDIA_TYPE)


def invalid(error: ValidationError | RequestValidationError, where: str = "") -> InvalidRequest:
    """What validation found, by pointers below `where`; what the client had written there is not repeated."""
    found = [
        {"pointer": where + "".join(f"/{_escaped(part)}" for part in each["loc"]), "detail": each["msg"]}
        for each in error.errors()
    ]
    return InvalidRequest(f"The request has {len(found)} problem(s).", errors=found)


def point_below(refusal: Refusal, where: str) -> Refusal:
    """The refusal with pointers that start where its subject stands in the request."""
    if refusal.errors:
        refusal.errors = [{**each, "pointer": where + each["pointer"]} for each in refusal.errors]
    return refusal


def refusals(*classes: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse in these ways, in the classes' own words."""
    responses: dict[int | str, dict[str, Any]] = {}
    for each in sorted(dict.fromkeys(classes), key=lambda each: each.status):
        schema = {"$ref": "#/components/schemas/Problem"}
        empty = {"description": "", "content": {MEDIA_TYPE: {"schema": schema, "examples": {}}}}
        response = responses.setdefault(each.status, empty)
        response["description"] = f"{response['description']} `{each.code}`: {each.title}.".strip()
        response["content"][MEDIA_TYPE]["examples"][each.code] = {"$ref": f"#/components/examples/{each.code}"}
    return responses


def example_problem(refusal: type[Refusal]) -> dict[str, Any]:
    """How this refusal reads."""
    pointed = [{"pointer": "/body/kind", "detail": "Field required"}] if refusal is InvalidRequest else None
    return problem(refusal("What was wrong in this very request.", errors=pointed), REQUEST_ID)


def install(app: FastAPI) -> None:
    """Hand every kind of error to the one writer of problem documents."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    for outage in OUTAGES:
        app.add_exception_handler(outage, _outage)


def unexpected(request: Request, error: Exception) -> Response:
    """The last resort: the cause goes to the log and nowhere else."""
    log.error("unexpected error", method=request.method, path=request.url.path, exc_info=error)
    detail = "Something failed that should not; the logs have the cause under this request's id."
    return problem_response(InternalError(detail), request.state.request_id)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem_response(error, request.state.request_id)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(_what_is_invalid(error), request.state.request_id)


def _what_is_invalid(error: RequestValidationError) -> Refusal:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return InvalidJson(f"The body cannot be read as JSON: {first['ctx']['error']}.")
    if isinstance(error.body, bytes):  # FastAPI leaves alone what is not declared to be JSON
        return UnsupportedMediaType("The body is not declared to be JSON.")
    return invalid(error)


async def _http_error(request: Request, error: Exception) -> Response:
    """What Starlette and FastAPI refuse by themselves: unknown addresses, wrong methods, oversized bodies."""
    assert isinstance(error, HTTPException)
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return unexpected(request, error)
    headers = dict(error.headers or {})
    return problem_response(_of_http(error), request.state.request_id, headers)


def _of_http(error: HTTPException) -> Refusal:
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return UnknownTenant(NOTHING_HERE)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return MethodNotAllowed("The address does not take this method.")
        case HTTPStatus.REQUEST_TIMEOUT:
            return BodyTooSlow(error.detail)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return BodyTooLarge(error.detail)
        case _:  # a body that ended early, or a form that cannot be read
            return InvalidRequest(error.detail)


async def _outage(request: Request, error: Exception) -> Response:
    if not is_outage(error):
        return unexpected(request, error)
    cause = getattr(error, "orig", None) or error  # without SQLAlchemy's statement and parameters
    log.warning("a server is away", path=request.url.path, error=f"{type(cause).__name__}: {cause}")
    detail = str(error) if isinstance(error, Unavailable) else "A server that this needs does not answer."
    refusal = OutOfService(detail, retry_after=OUTAGE_RETRY_SECONDS)
    return problem_response(refusal, request.state.request_id)


def _escaped(part: Any) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
