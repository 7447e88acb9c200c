"""What the documentation shows: jobs at the moments that matter, a stream, and an example of whatever has none."""

from __future__ import annotations

from typing import Any

WORKER_ID = "0190d5c8-0000-7d3c-b1a4-9f2e6d8c5b7a"
JOB_ID = "0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c"
REQUEST_ID = "0190d5c8-7a30-7b52-9d3a-6c0f4be1a7d2"
_ACCEPTED, _BEGUN, _ENDED = (f"2026-09-01T08:00:{moment}Z" for moment in ("00.120000", "00.150000", "02.160000"))

_QUEUED: dict[str, Any] = {
    "job_id": JOB_ID,
    "queue": "chat",
    "kind": "diagnostics.sleep",
    "status": "queued",
    "step": None,
    "progress": 0,
    "attempt": 0,
    "max_attempts": 3,
    "error": None,
    "error_detail": None,
    "result": None,
    "request_id": REQUEST_ID,
    "lane_id": "student:s1:main",
    "lane_queue_position": 0,
    "lane_queue_size": 0,
    "lane_active": True,
    "created_at": _ACCEPTED,
    "updated_at": _ACCEPTED,
    "scheduled_for": None,
    "started_at": None,
    "finished_at": None,
    "links": {
        "self": f"/v1/jobs/{JOB_ID}",
        "events": f"/v1/jobs/{JOB_ID}/events",
        "cancel": f"/v1/jobs/{JOB_ID}/cancel",
        "retry": f"/v1/jobs/{JOB_ID}/retry",
    },
}
_PROCESSING = _QUEUED | {"status": "processing", "attempt": 1, "updated_at": _BEGUN, "started_at": _BEGUN}
_OVER = {"lane_active": False, "updated_at": _ENDED, "finished_at": _ENDED}
_DONE = _PROCESSING | _OVER | {"status": "done", "progress": 100, "result": {"slept": 2.0}}
_CANCELLED = _QUEUED | _OVER | {"status": "cancelled"}
_RETRIED = _QUEUED | {"attempt": 1, "updated_at": _ENDED}

# By name, and referred to by name: FastAPI would leave out every null of an example that passes through its hands.
JOBS = {
    "job_queued": _QUEUED,
    "job_processing": _PROCESSING,
    "job_done": _DONE,
    "job_cancelled": _CANCELLED,
    "job_retried": _RETRIED,
}
OF_SCHEMAS: dict[str, dict[str, Any]] = {
    "JobDocument": _QUEUED,
    "AttemptDocument": {
        "attempt": 1,
        "worker_id": WORKER_ID,
        "status": "success",
        "started_at": _BEGUN,
        "finished_at": _ENDED,
        "duration_ms": 2010,
        "exit_code": None,
        "error": None,
        "error_detail": None,
    },
    "KindDocument": {
        "kind": "diagnostics.sleep",
        "queue": None,
        "summary": "Sleeps for a number of seconds",
        "timeout_seconds": 3700.0,
        "max_attempts": 3,
        "lanes": True,
        "input_schema": {"type": "object", "properties": {"seconds": {"type": "number"}}, "required": ["seconds"]},
        "result_schema": {"type": "object", "properties": {"slept": {"type": "number"}}, "required": ["slept"]},
    },
    "QueueDocument": {
        "queue": "chat",
        "state": "running",
        "paused": False,
        "draining": False,
        "queued": 12,
        "ready": 4,
        "scheduled": 1,
        "blocked": 7,
        "processing": 30,
        "oldest_ready_seconds": 0.8,
        "workers": 2,
        "slots": 60,
        "counted_at": _ENDED,
    },
    "WorkerDocument": {
        "worker_id": WORKER_ID,
        "queue": "chat",
        "host": "worker-1",
        "pid": 7,
        "version": "0.1.0",
        "slots": 30,
        "load": 15,
        "started_at": _ACCEPTED,
        "lease_until": _ENDED,
        "alive": True,
    },
    "Readiness": {"status": "ready", "checks": {"postgres": "ok", "redis:shared": "ok"}},
}

FRAMES = (
    f'id: 0-1\nevent: queued\ndata: {{"queue":"chat","kind":"diagnostics.sleep","job_id":"{JOB_ID}",'
    '"attempt":0}\n\n'
    f'id: 1788249600150-0\nevent: started\ndata: {{"queue":"chat","job_id":"{JOB_ID}","attempt":1}}\n\n'
    f'id: 1788249601150-0\nevent: progress\ndata: {{"progress":50,"step":"half","job_id":"{JOB_ID}","attempt":1}}\n\n'
    ": keep-alive\n\n"
    f'id: 1788249602160-0\nevent: done\ndata: {{"job_id":"{JOB_ID}","status":"done", ... the job document}}\n\n'
)

_TEXTS = {"uuid": JOB_ID, "date-time": _ACCEPTED, "date": "2026-09-01", "uri": "https://example.org/"}


def shown(example: str, media_type: str) -> dict[str, Any]:
    """The `content` of a response that is shown with this example."""
    return {media_type: {"example": example}}


def job_shown(name: str) -> dict[str, Any]:
    """The `content` of a response that is shown with the job of this name."""
    assert name in JOBS, name
    return {"application/json": {"examples": {name: {"$ref": f"#/components/examples/{name}"}}}}


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """An example of a schema: its own where it has one, else put together from its parts."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return example_of(schema[union][0], schemas)
    return _of_type(schema, schemas)


def _of_type(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    match schema.get("type"):
        case "object":
            return {name: example_of(part, schemas) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [example_of(each, schemas) for each in _alternatives(schema.get("items", {}))]
        case "string":
            return _TEXTS.get(schema.get("format", ""), "text"[: schema.get("maxLength")])
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return None


def _alternatives(items: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = items.get("anyOf") or items.get("oneOf") or [items]
    return found
