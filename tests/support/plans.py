"""Watch how Postgres runs a statement: real plans with what they really looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from app.kit import json
from app.kit.db import Connection

SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")


@dataclass
class Plan:
    """What one statement did to the table `jobs`."""

    text: str
    full_scans: int = 0
    rows: int = 0  # index entries and rows looked at, those that a filter threw away included
    nodes: list[str] = field(default_factory=list)


class Watched:
    """A connection whose reads are explained before they run: in the plan that serves any parameters, or their own."""

    def __init__(self, connection: Connection, *, generic: bool) -> None:
        self._connection = connection
        self._mode = "force_generic_plan" if generic else "force_custom_plan"
        self.plans: list[Plan] = []

    async def fetch(self, statement: str, *given: Any) -> list[asyncpg.Record]:
        await self._explain(statement, given)
        records: list[asyncpg.Record] = await self._connection.fetch(statement, *given)
        return records

    async def fetchval(self, statement: str, *given: Any) -> Any:
        await self._explain(statement, given)
        return await self._connection.fetchval(statement, *given)

    async def _explain(self, statement: str, given: Sequence[Any]) -> None:
        arguments = f"({', '.join(map(_literal, given))})" if given else ""
        await self._connection.execute(f"set plan_cache_mode = {self._mode}")
        await self._connection.execute(f"prepare watched as {statement}")
        try:
            found = await self._connection.fetchval(f"explain (analyze, format json) execute watched{arguments}")
        finally:
            await self._connection.execute("deallocate watched")
            await self._connection.execute("reset plan_cache_mode")
        plan = Plan(statement)
        told = json.loads(found) if isinstance(found, str) else found  # SQLAlchemy's connections decode it themselves
        for node in _nodes(told[0]["Plan"]):
            if node.get("Relation Name") == "jobs" and node["Node Type"] in SCANS:
                plan.full_scans += node["Node Type"] == "Seq Scan"
                looked = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                plan.rows += round(looked * node["Actual Loops"])
                plan.nodes.append(f"{node['Node Type']} {node.get('Index Name', '')}")
        self.plans.append(plan)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        value = "{" + ",".join(map(_element, value)) + "}"
    text = str(value).replace("'", "''")
    return f"'{text}'"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
