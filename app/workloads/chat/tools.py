"""What the chat worker works with, opened once for all of its jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.library.search import Search
from app.workloads.supplies import Models, Supplies


@dataclass(frozen=True, slots=True)
class Tools:
    models: Models
    search: Search = field(default_factory=Search)


@asynccontextmanager
async def open_tools(supplies: Supplies) -> AsyncIterator[Tools]:
    models = Models(supplies)
    try:
        await models.warm()
        yield Tools(models)
    finally:
        await models.close()
