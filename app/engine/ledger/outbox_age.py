"""How far the outbox lags behind."""

from __future__ import annotations

from typing import NamedTuple

from app.kit.db import Connection


class OutboxAge(NamedTuple):
    pending: int
    oldest_seconds: float


async def outbox_age(connection: Connection) -> OutboxAge:
    """What is not delivered yet; what waits after a failed try is counted too."""
    return OutboxAge(*await connection.fetchrow(_AGE))


_AGE = """
select count(*), coalesce(extract(epoch from now() - min(created_at))::float8, 0) from outbox where delivered_at is null
"""
