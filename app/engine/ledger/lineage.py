"""Has Postgres gone back? A ledger that was restored from a backup remembers less than Redis does.

Redis keeps, beside a queue's epoch, which ledger it was last seen with and how far that ledger's log had come. Another
ledger, or the same one at an earlier place, has jobs whose notes speak of hints that were used up long ago.
"""

from __future__ import annotations

from typing import NamedTuple

from app.kit.db import Connection


class Lineage(NamedTuple):
    """Which ledger this is, and how far its log has come."""

    ledger: str
    position: int

    @classmethod
    def parse(cls, text: str) -> Lineage | None:
        """What Redis remembers; None where it remembers nothing."""
        ledger, _, position = text.rpartition("@")
        return cls(ledger, int(position)) if ledger else None

    def __str__(self) -> str:
        return f"{self.ledger}@{self.position}"

    def follows(self, remembered: Lineage | None) -> bool:
        """Everything that was known then is known now."""
        return remembered is None or (self.ledger == remembered.ledger and self.position >= remembered.position)


async def read_lineage(connection: Connection) -> Lineage:
    return Lineage(*await connection.fetchrow(_LINEAGE))


# A cluster has an identifier, and a table that was made or loaded anew has another file: so a dump is told apart that
# was restored into the same database or one of its name. The log's position tells of copies of the whole cluster.
_LINEAGE = """
select (select system_identifier from pg_control_system()) || '/' || pg_relation_filenode('jobs') as ledger,
       (pg_current_wal_lsn() - '0/0')::bigint as position
"""
