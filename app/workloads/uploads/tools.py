"""What a parsing worker works with, opened once for all of its jobs.

Documents are read in child processes: nothing that parses or recognises is loaded here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.documents.reader import Reader
from app.engine.turns import Turns
from app.kit.db import Database
from app.storage.port import Storage
from app.workloads.supplies import Models, Supplies


@dataclass(frozen=True, slots=True)
class Tools:
    reader: Reader
    models: Models
    storage: Storage
    database: Database
    turns: Turns


@asynccontextmanager
async def open_tools(supplies: Supplies) -> AsyncIterator[Tools]:
    reader, models = Reader(), Models(supplies)
    try:
        yield Tools(reader, models, supplies.storage, supplies.database, supplies.turns)
    finally:
        await models.close()
        await reader.close()
