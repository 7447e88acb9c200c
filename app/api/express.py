"""The short way: routes with a fixed path are found by one look-up, and served without the router's layers.

It answers as the router would, from the same declarations; what it does not know goes on to the router. Errors reach
the application's own handlers either way.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Response
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.direct import Plan, plan
from app.api.wire import EdgeRoute, StrictRequest


class Express:
    """Innermost of our middlewares: everything about a request that is not its route has happened by then."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._plans: dict[tuple[str, str], tuple[Plan, EdgeRoute]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("root_path"):
            await self._app(scope, receive, send)
            return
        if self._plans is None:  # the first request: by now every route is there
            self._plans = find_plans(scope["app"])
        found = self._plans.get((scope["method"], scope["path"]))
        if found is None:
            await self._app(scope, receive, send)
            return
        serve, scope["route"] = found
        request = StrictRequest(scope, receive)
        try:
            response = await serve(request)
        except Exception as error:
            response = await _answer(request, error)
        await response(scope, receive, send)


async def _answer(request: Request, error: Exception) -> Response:
    """What the application says to this error, whoever met it."""
    for kind in type(error).__mro__:
        if (handle := request.app.exception_handlers.get(kind)) is not None:
            response: Response = await handle(request, error)
            return response
    raise error


def find_plans(app: FastAPI) -> dict[tuple[str, str], tuple[Plan, EdgeRoute]]:
    """The routes that can go the short way, by method and path."""
    plans: dict[tuple[str, str], tuple[Plan, EdgeRoute]] = {}
    earlier: list[Any] = []
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, EdgeRoute) and context.path is not None and "{" not in context.path:
            serve = plan(context.dependant)
            for method in context.methods or ():
                if serve is not None and not any(_takes(each, method, context.path) for each in earlier):
                    plans[method, context.path] = serve, route
        earlier.append(context)
    return plans


def _takes(context: RouteContext, method: str, path: str) -> bool:
    """Whether a route that stands earlier would be asked first."""
    regex = getattr(context, "path_regex", None)
    methods = context.methods
    return regex is not None and regex.match(path) is not None and (methods is None or method in methods)
