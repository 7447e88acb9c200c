"""job.json: where an upload's job stands, in the words of its document, beside the files.

A copy for people and backups. Postgres remains the truth, so one that cannot be written is a warning and nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.engine.ledger.read import read_job
from app.kit import json
from app.kit.db import Database
from app.kit.logging import get_logger
from app.storage.port import Storage
from app.workloads.uploads.files import Place

WORDS = (
    *("job_id", "queue", "kind", "status", "step", "progress", "attempt", "max_attempts", "error", "error_detail"),
    *("result", "request_id", "created_at", "updated_at", "started_at", "finished_at"),
)

log = get_logger(__name__)


async def copy_job(database: Database, storage: Storage, tenant_id: str, place: Place, **beyond: Any) -> None:
    """Write how the job stands now. `beyond` is what the ledger does not say, or not yet: the upload's words, or the
    end that is about to be the job's."""
    try:
        async with database.tenant(tenant_id) as connection:
            row = await read_job(connection, tenant_id, place.job_id)
    except Exception as error:
        _warn(place, error)
        return
    if row is not None:
        await write_copy(storage, tenant_id, place, {word: getattr(row, word) for word in WORDS} | beyond)


async def write_copy(storage: Storage, tenant_id: str, place: Place, words: dict[str, Any]) -> None:
    try:
        plain = {word: str(value) if isinstance(value, UUID) else value for word, value in words.items()}
        await storage.put(tenant_id, place.job_file, json.dumps(plain))
    except Exception as error:
        _warn(place, error)


def _warn(place: Place, error: Exception) -> None:
    """Whatever it is, the job is none the worse."""
    log.warning("job.json could not be written", job_id=str(place.job_id), error=f"{type(error).__name__}: {error}")


def first_words(job_id: UUID, kind: str, request_id: str | None) -> dict[str, Any]:
    """Of a job that is about to be accepted. Its id tells the moment, to the millisecond."""
    moment = datetime.fromtimestamp((job_id.int >> 80) / 1000, UTC)
    known = {"job_id": job_id, "kind": kind, "status": "queued", "progress": 0, "attempt": 0, "request_id": request_id}
    return dict.fromkeys(WORDS) | known | {"created_at": moment, "updated_at": moment}
