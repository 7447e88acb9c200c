"""Which errors mean that a server is away: worth trying again, and nobody's bug."""

from __future__ import annotations

from sqlalchemy import exc

from app.kit.db import CONNECTION_LOST
from app.kit.errors import Unavailable
from app.kit.redis import REDIS_AWAY

# SQLAlchemy wraps what its own statements meet; the ledger's statements and connecting raise the driver's errors bare.
OUTAGES: tuple[type[Exception], ...] = (Unavailable, *CONNECTION_LOST, *REDIS_AWAY, exc.TimeoutError, exc.DBAPIError)


def is_outage(error: BaseException) -> bool:
    if isinstance(error, exc.DBAPIError):
        lost = isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated
        return lost or isinstance(getattr(error.orig, "__cause__", None), CONNECTION_LOST)
    return isinstance(error, OUTAGES)
