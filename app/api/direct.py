"""A route served by a plan of its dependencies that is made once.

FastAPI walks the whole tree of a route's dependencies at every request, shared branches as often as they are shared;
for the routes that carry the load that is most of what a request costs. What a route declares stays the one source: the
plan is read from it, and is refused (`plan` is None) where a route uses more than plans know.
"""

from __future__ import annotations

import email.message
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, get_args, get_origin

import orjson
from fastapi import Response, params
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from app.api.refusals import InvalidJson, InvalidRequest
from app.api.wire import StrictRequest, headers_of

Errors: TypeAlias = list[dict[str, Any]]

_SKIPPED: Any = object()  # the value of a dependency whose own parameters are not valid


class _Param(NamedTuple):
    """One header, query or path parameter."""

    name: str
    alias: str
    where: str  # the request's attribute that has it
    loc: tuple[str, str]
    is_list: bool
    field: Any  # FastAPI's, which validates it
    header: bytes  # its name as it arrives, for headers
    is_text: bool  # whatever was sent is valid, and stays as it is
    has_default: bool  # one that is not None

    def read(self, request: StrictRequest) -> tuple[Any, Errors]:
        if self.where == "headers" and self.header not in headers_of(request.scope):
            value = None
        else:
            given = getattr(request, self.where)
            value = given.getlist(self.alias) if self.is_list else given.get(self.alias)
        if value is None or value == []:
            if self.field.field_info.is_required():
                return None, [_missing(self.loc)]
            return self.field.get_default() if self.has_default else None, []
        if self.is_text:
            return value, []
        validated: tuple[Any, Errors] = self.field.validate(value, {}, loc=self.loc)
        return validated


class _Step(NamedTuple):
    """One dependency, or the endpoint at the end of them."""

    call: Callable[..., Awaitable[Any]]
    sources: tuple[tuple[str, int], ...]  # parameter -> the step whose result it gets; 0 is the request itself
    params: tuple[_Param, ...]


class Plan:
    """The steps that lead to a route's answer, each dependency once and after those that it needs."""

    def __init__(self, steps: Sequence[_Step], body: Any | None) -> None:
        self._steps = steps[:-1]
        self._endpoint = steps[-1]
        self._body = body

    async def __call__(self, request: StrictRequest) -> Response:
        body = await _read_body(request) if self._body is not None else None
        results: list[Any] = [request]
        errors: Errors = []
        for step in self._steps:
            if step.params or errors:
                arguments = _arguments(step, request, results, errors)
                results.append(_SKIPPED if arguments is None else await step.call(**arguments))
            else:
                results.append(await step.call(**{name: results[number] for name, number in step.sources}))
        arguments = _arguments(self._endpoint, request, results, errors)
        if self._body is not None:
            value, found = self._validate(body)
            errors += found
            if arguments is not None:
                arguments[self._body.name] = value
        if errors or arguments is None:
            raise RequestValidationError(errors, body=body)
        response: Response = await self._endpoint.call(**arguments)
        return response

    def _validate(self, body: Any) -> tuple[Any, Errors]:
        assert self._body is not None
        if body is _SKIPPED:
            return None, [_missing(("body",))]
        validated: tuple[Any, Errors] = self._body.validate(body, {}, loc=("body",))
        return validated


def _arguments(step: _Step, request: StrictRequest, results: list[Any], errors: Errors) -> dict[str, Any] | None:
    """What the step is called with; None where it cannot be called."""
    arguments = {name: results[number] for name, number in step.sources}
    usable = not errors or _SKIPPED not in arguments.values()
    for param in step.params:
        arguments[param.name], found = param.read(request)
        if found:
            errors += found
            usable = False
    return arguments if usable else None


async def _read_body(request: StrictRequest) -> Any:
    """The body as JSON; as bytes where it is not declared to be that."""
    try:
        raw = await request.body()
        if not raw:
            return _SKIPPED
        return await request.json() if _is_json(headers_of(request.scope).get(b"content-type", b"")) else raw
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"The body cannot be read as JSON: {error.msg}.") from None
    except ClientDisconnect:
        raise InvalidRequest("There was an error parsing the body") from None


def _is_json(content_type: bytes) -> bool:
    if content_type == b"application/json":  # as nearly everybody writes it
        return True
    message = email.message.Message()
    message["content-type"] = content_type.decode("latin-1")
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


def _missing(loc: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "missing", "loc": loc, "msg": "Field required", "input": None}


def plan(dependant: Dependant) -> Plan | None:
    """The plan of a route; None where it takes what plans do not know: forms, sync or yielding dependencies."""
    steps: list[_Step] = []
    numbers: dict[Any, int] = {}
    body = dependant.body_params[0] if dependant.body_params else None
    if len(dependant.body_params) > 1 or (body is not None and not _is_whole_body(body)):
        return None
    return Plan(steps, body) if _add(dependant, steps, numbers, is_endpoint=True) is not None else None


def _add(dependant: Dependant, steps: list[_Step], numbers: dict[Any, int], *, is_endpoint: bool = False) -> int | None:
    """The number of this dependency's step, which stands after the steps that it needs."""
    if dependant.call in numbers:
        return numbers[dependant.call]
    if not _is_known(dependant, is_endpoint=is_endpoint):
        return None
    sources: list[tuple[str, int]] = []
    for each in dependant.dependencies:
        number = _add(each, steps, numbers)
        if number is None:
            return None
        if each.name is not None:
            sources.append((each.name, number))
    if (request_name := dependant.request_param_name or dependant.http_connection_param_name) is not None:
        sources.append((request_name, 0))
    fields = [*dependant.path_params, *dependant.query_params, *dependant.header_params]
    assert dependant.call is not None
    steps.append(_Step(dependant.call, tuple(sources), tuple(map(_param, fields))))
    return numbers.setdefault(dependant.call, len(steps))


def _is_known(dependant: Dependant, *, is_endpoint: bool) -> bool:
    call = dependant.call
    is_async = inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)
    beyond = (
        dependant.cookie_params
        or dependant.websocket_param_name
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.own_oauth_scopes
        or dependant.concurrency is not None
        or not dependant.use_cache
        or (dependant.body_params and not is_endpoint)
    )
    fields = [*dependant.path_params, *dependant.query_params, *dependant.header_params]
    return is_async and not beyond and not any(map(_is_model, fields))


def _is_model(field: Any) -> bool:
    annotation = field.field_info.annotation
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_whole_body(field: Any) -> bool:
    info = field.field_info
    return type(info) is params.Body and info.embed is None and _is_model(field)


_TEXTS = (str, str | None, list[str], list[str] | None)
_WHERE = {params.Path: "path_params", params.Query: "query_params", params.Header: "headers"}


def _param(field: Any) -> _Param:
    info = field.field_info
    alias = field.validation_alias or field.alias
    is_list = any(get_origin(each) is list for each in (info.annotation, *get_args(info.annotation)))
    return _Param(
        name=field.name,
        alias=alias,
        where=_WHERE[type(info)],
        loc=(info.in_.value, alias),
        is_list=is_list,
        field=field,
        header=alias.lower().encode("latin-1"),
        is_text=info.annotation in _TEXTS and not info.metadata,
        has_default=not info.is_required() and field.get_default() is not None,
    )
