"""The domain rows that outcomes carry as data: one statement for each table of each tenant in a batch."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from app.engine.outcomes import Write
from app.kit import json
from app.kit.db import Connection

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


async def write(connection: Connection, tenant_id: str, writes: Iterable[Write]) -> None:
    """Insert these rows in the caller's transaction, which sees one tenant under row level security."""
    alike: dict[tuple[str, tuple[str, ...], bool], list[object]] = defaultdict(list)
    for each in writes:
        alike[(each.table, tuple(sorted(each.values)), each.or_ignore)].append({**each.values, "tenant_id": tenant_id})
    for (table, columns, or_ignore), rows in alike.items():
        await connection.execute(_insert(table, columns, or_ignore=or_ignore), json.text(rows))


def _insert(table: str, columns: tuple[str, ...], *, or_ignore: bool) -> str:
    """Composed of names alone, and only of names that need no quoting; values cross as one JSON parameter."""
    for name in (table, *columns):
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} cannot be the name of a table or a column here")
    names = ", ".join(sorted({*columns, "tenant_id"}))
    ignoring = " on conflict do nothing" if or_ignore else ""
    rows = f"jsonb_populate_recordset(null::{table}, $1::jsonb)"
    return f"insert into {table} ({names}) select {names} from {rows}{ignoring}"
