"""From what a client wrote to a job that the ledger can take: kind, queue, input and lane are checked here, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from app.engine.ledger.submit import Alongside, NewJob
from app.engine.placement import place
from app.engine.submit import fingerprint
from app.engine.workload import JobKind, Registry
from app.kit import json, trace
from app.kit.errors import Refusal
from app.kit.ids import uuid7


class UnknownKind(Refusal):
    status = 422
    code = "unknown_kind"
    title = "No such kind of job can be submitted here"
    cure = "GET /v1/kinds lists what can be."


class InvalidInput(Refusal):
    status = 422
    code = "invalid_input"
    title = "The input does not fit the kind"
    cure = "Correct the fields that `errors` points at; GET /v1/kinds has the schema."


class InvalidPlacement(Refusal):
    status = 422
    code = "invalid_placement"
    title = "The job cannot run where or when it was asked to"
    cure = "Leave `queue` to the kind, and do not combine `lane` with `run_at`."


@dataclass(slots=True)
class Wish:
    """One job as somebody asks for it: a client over HTTP, or another workload through the outbox."""

    tenant_id: str
    kind: str
    input: Any
    queue: str | None = None
    lane: str | None = None
    priority: int = 0
    run_at: datetime | None = None
    request_id: str | None = None
    session_id: str | None = None
    idempotency_key: str | None = None
    bulk: bool = False  # one of many: waits in the tenant's bulk flow. Where it waits is not part of what it means
    meaning: Any = None  # what a repetition under the same key must share, where that is not the input
    alongside: Alongside | None = None  # rows of the tenant's that commit with the job
    job_id: UUID = field(default_factory=uuid7)
    traceparent: str | None = None  # None: the trace of the request that is being served


def accept(registry: Registry, wish: Wish, *, public_only: bool = True) -> NewJob:
    """Check a wish against what this deployment runs."""
    kind, queue = _find(registry, wish, public_only=public_only)
    if wish.run_at is not None and (wish.lane is not None or kind.placement is not None):
        raise InvalidPlacement("A lane is strictly in order, so a job in it cannot wait for a moment of its own.")
    if wish.lane is not None and not kind.lanes:
        raise InvalidPlacement(f"Jobs of kind {kind.name} choose their lane themselves.")
    try:
        checked = _check_input(kind, wish.input)
        text = json.text(checked)
    except (TypeError, ValueError, RecursionError):  # too deep, lone surrogates, integers beyond 64 bits
        detail = "The input is nested too deeply, or holds text or numbers that cannot be stored."
        raise InvalidInput(detail, errors=[_pointer("/input")]) from None
    try:
        # Whom nothing compares it with, it would be made for in vain.
        compared = wish.idempotency_key is not None or wish.lane is not None
        meant = checked if wish.meaning is None else wish.meaning
        same = fingerprint(kind.name, queue, meant, wish.lane, wish.priority, wish.run_at) if compared else b""
    except TypeError:
        raise InvalidPlacement("The lane's name cannot be stored.", errors=[_pointer("/lane")]) from None
    new = NewJob(
        tenant_id=wish.tenant_id,
        queue=queue,
        kind=kind.name,
        input=text,
        max_attempts=kind.max_attempts,
        timeout=kind.timeout,
        priority=wish.priority,
        bulk=wish.bulk,
        lane_id=wish.lane,
        run_at=wish.run_at,
        request_id=wish.request_id,
        session_id=wish.session_id,
        idempotency_key=wish.idempotency_key,
        fingerprint=same,
        job_id=wish.job_id,
        alongside=wish.alongside,
        traceparent=wish.traceparent or trace.current(),
        permits=kind.permits_for(checked),
    )
    return place(kind, new, checked, debounce_ms=registry.debounce_ms.get(kind.name, 0))


def _find(registry: Registry, wish: Wish, *, public_only: bool) -> tuple[JobKind, str]:
    found = registry.find(wish.kind)
    if found is None or (public_only and not found[0].public):
        raise UnknownKind("This deployment accepts no such kind.", errors=[_pointer("/kind")])
    kind, own_queue = found
    if own_queue is not None:
        if wish.queue not in (None, own_queue):
            raise InvalidPlacement(f"{kind.name} runs on {own_queue}.", errors=[_pointer("/queue")])
        return kind, own_queue
    queue = wish.queue or "base"
    if queue not in registry.workloads:
        known = ", ".join(registry.workloads)
        raise InvalidPlacement(f"There is no such queue; there are {known}.", errors=[_pointer("/queue")])
    return kind, queue


def _check_input(kind: JobKind, value: Any) -> Any:
    try:
        return kind.input.model_validate(value).model_dump(mode="json")
    except ValidationError as error:
        problems = [
            {"pointer": "/input" + "".join(f"/{_escaped(part)}" for part in problem["loc"]), "detail": problem["msg"]}
            for problem in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise InvalidInput(f"The input of {kind.name} has {len(problems)} problem(s).", errors=problems) from None


def _escaped(part: int | str) -> str:
    """A member's name inside a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def _pointer(pointer: str) -> dict[str, str]:
    return {"pointer": pointer, "detail": "not accepted"}
