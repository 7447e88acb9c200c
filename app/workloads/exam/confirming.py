"""A draft becomes the record: the exam with its marks and figures, its place in the library, what profiles learn."""

from __future__ import annotations

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from app.engine.outbox import SUBMIT, emit_all
from app.kit.failpoints import failpoint
from app.library import shelf
from app.workloads.exam import recording
from app.workloads.exam.effects import LIBRARY_KIND, library_document, profile_updates
from app.workloads.exam.record import Record, make_record
from app.workloads.uploads.kind import Draft
from app.workloads.uploads.models import Upload


async def confirm(session: AsyncSession, upload: Upload, draft: Draft) -> None:
    """Within the transaction that marks the upload confirmed. `completeness.missing` found nothing against it."""
    record = await asyncio.to_thread(make_record, upload, draft)  # arithmetic that would hold up the loop
    confirmed_at, gone = await recording.replace(session, upload.tenant_id, record)
    failpoint("exam.recorded")
    await _shelve(session, upload.tenant_id, record)
    await emit_all(session, upload.tenant_id, SUBMIT, profile_updates(record, confirmed_at, gone))
    failpoint("exam.emitted")


async def _shelve(session: AsyncSession, tenant_id: str, record: Record) -> None:
    document = library_document(record)
    if document is None:
        await shelf.remove(session, tenant_id, LIBRARY_KIND, record.exam_id)
    else:
        await shelf.put(session, tenant_id, document)
