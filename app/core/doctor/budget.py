"""How many connections a process may hold open, by its settings: what max_connections has to be reckoned from."""

from __future__ import annotations

from typing import NamedTuple

from app.core.config import DatabaseSettings

RESERVED = 3  # of a worker: submits, begins, finishes
LEASE = 1  # the thread that keeps a worker's lease
SUBMITS = 1  # the API begins and finishes nothing


class Budget(NamedTuple):
    """Connections to Postgres that one process opens when it is busiest."""

    api: int
    worker: int

    def of(self, *, apis: int, workers: int) -> int:
        return apis * self.api + workers * self.worker


def connection_budget(database: DatabaseSettings) -> Budget:
    """Tenants' transactions have two pools of DATABASE_POOL_SIZE (with and without objects), the ledger has one."""
    pools = 2 * database.pool_size + database.ledger_pool_size
    return Budget(api=pools + SUBMITS, worker=pools + RESERVED + LEASE)
