"""One ARQ pool per queue: placeholders that `setup.py` fills during the lifespan and empties in reverse.

This module imports nothing of ours, so that anything in the API can import it. Ask with `queue.get("chat")`, or by
attribute, `queue.base_pool`; never `from app.core.queue import base_pool`, which would bind the placeholder for ever.
"""

from __future__ import annotations

from arq.connections import ArqRedis

chat_pool: ArqRedis | None = None
exam_pool: ArqRedis | None = None
assignment_pool: ArqRedis | None = None
profile_pool: ArqRedis | None = None
base_pool: ArqRedis | None = None


class QueueNotReady(RuntimeError):
    """A pool was asked for before the lifespan filled it, or after it ended."""


def get(name: str) -> ArqRedis:
    """The pool of a queue."""
    pool: ArqRedis | None = globals().get(f"{name}_pool")
    if pool is None:
        raise QueueNotReady(
            f"The pool of queue {name!r} is not open. Cure: ask inside the application's lifespan, "
            "and check that the queue is registered in app/workloads/__init__.py."
        )
    return pool


def put(name: str, pool: ArqRedis | None) -> None:
    """Fill or empty a placeholder; only the lifespan does this."""
    globals()[f"{name}_pool"] = pool
