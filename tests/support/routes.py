"""The application's own account of itself, without any server: its routes and its description."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.core.config import load_settings
from app.core.setup import create_app
from tests.support.deployment import only_environment

NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@localhost/nothing",
    "REDIS_URL": "redis://localhost",
    "APP_ENV": "test",
    "LOG_LEVEL": "warning",
}


class Route(NamedTuple):
    method: str
    path: str


def unserved_app() -> FastAPI:
    """The real composition, never started."""
    with only_environment(NOWHERE):
        return create_app(load_settings())


def all_routes(app: FastAPI) -> list[Route]:
    """Every method at every path that the application answers, whether its description shows it or not."""
    found = [
        Route(method, context.path or "")
        for context in iter_route_contexts(app.routes)
        for method in sorted(context.methods or {"MOUNT"})
        if method != "HEAD"
    ]
    assert len(found) > 20, "the application's routes were not found: has FastAPI changed how it keeps them?"
    return found
