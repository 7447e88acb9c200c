"""Kinds that choose their lane themselves: where a job goes is read from its input, whichever door it came by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.engine.ledger.submit import NewJob
from app.engine.submit import fingerprint
from app.engine.workload import JobKind, resolve


@dataclass(frozen=True, slots=True)
class Placement:
    """What a kind reads from an input."""

    lane: str
    meaning: Any  # what two requests must share to be the same one
    session_id: str | None = None
    request_id: str | None = None  # the client's name for its request, an idempotency key like the header's
    bounded: bool = True  # by the tenant's `lane_max_queue`; False where nothing may be turned away


def place(kind: JobKind, new: NewJob, checked: Any, *, debounce_ms: int) -> NewJob:
    """The job in the lane that its kind chooses; unchanged where the kind leaves that to the client."""
    if kind.placement is None:
        return new
    chosen: Placement = resolve(kind.placement)(checked)
    key = new.idempotency_key or (f"{kind.name}:{chosen.request_id}" if chosen.request_id is not None else None)
    return replace(
        new,
        lane_id=chosen.lane,
        lane_bounded=chosen.bounded,
        debounce_ms=debounce_ms,
        session_id=chosen.session_id,
        request_id=chosen.request_id or new.request_id,
        idempotency_key=key,
        fingerprint=fingerprint(kind.name, new.queue, chosen.meaning, new.priority),
        alongside=resolve(kind.alongside) if kind.alongside is not None else None,
    )
