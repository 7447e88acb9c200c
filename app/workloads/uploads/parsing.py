"""The shell of a parse: what every kind of upload shares around its own reading of the files.

    async def parse(ctx: JobContext, tools: Tools) -> None:
        await parse_upload(ctx, tools, EXAMS, read_exam)

`read_exam(work) -> Parsed` is the kind's own. What it made goes to a folder of this attempt first and is published in
one transaction with the job's end: a reader sees the draft of one whole attempt, or none. A worker that dies on the way
leaves a folder that the next attempt removes; an attempt that was overtaken publishes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.documents.failures import DocumentFailure
from app.documents.ocr.memory import PageMemory
from app.documents.reader import Reader
from app.documents.sandbox.run import Progress, SourceFile
from app.engine.context import JobContext
from app.engine.outcomes import Cancel, Fail, Outcome, Retry
from app.kit import json
from app.kit.errors import StaleAttempt
from app.kit.failpoints import failpoint
from app.llm.port import Provider
from app.storage.port import NotStored, StorageFull
from app.workloads.uploads.files import Place, sources_of
from app.workloads.uploads.jobfile import copy_job
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.models import Upload
from app.workloads.uploads.recognised import Recognised
from app.workloads.uploads.tools import Tools

MODEL_CALLS = "llm_total"  # the permit that a chat's reply takes too


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a reading came to."""

    document: dict[str, Any]  # becomes `uploads.parsed`: what the draft is drawn from; `warnings` stands in it
    result: dict[str, Any]  # the job's result: a few figures, as the kind's result model has them
    texts: Mapping[str, str] = field(default_factory=dict)  # file name -> plain text, kept beside the draft


@dataclass(frozen=True, slots=True)
class Work:
    """One reading: the form, the files, and what to read them with. A cancel ends it at its next `await`."""

    upload: Upload
    selected: str | None  # the score schema that the sheet is to be read by
    files: Mapping[str, Sequence[SourceFile]]  # by the form's field, in the order they were sent
    pages: PageMemory  # what was recognised of them before
    ctx: JobContext
    tools: Tools

    @property
    def form(self) -> dict[str, Any]:
        return self.upload.form

    def sources(self, field: str) -> Sequence[SourceFile]:
        return self.files.get(field, ())

    @property
    def reader(self) -> Reader:
        return self.tools.reader

    def model(self) -> AbstractAsyncContextManager[Provider]:
        """The model that the tenant is answered by. The local one cannot fill in forms: see `uploads/filling`."""
        return self.tools.models.lend(self.ctx.tenant_id)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Around each call of the model: it counts with all others that the tenant makes at a time."""
        return self.tools.turns.taken(self.ctx, MODEL_CALLS)

    async def progress(self, step: str, percent: int) -> None:
        await self.ctx.progress(percent, step)

    def between(self, step: str, begin: int, end: int) -> Progress:
        """For a reader's `on_progress`: its files and pages as percents between two of the job's own."""
        told = begin

        async def tell(_what: str, done: int, of: int) -> None:
            nonlocal told
            percent = begin + (end - begin) * min(done, of) // max(1, of)
            if percent > told:  # never back: files and pages are counted one after the other
                told = percent
                await self.ctx.progress(percent, step)

        return tell


Read = Callable[[Work], Awaitable[Parsed]]


async def parse_upload(ctx: JobContext, tools: Tools, kind: UploadKind, read: Read) -> None:
    """One delivery of a parse, from the stored files to the published draft."""
    upload = await _load(ctx)
    place = Place(kind.path, UUID(ctx.job_id))
    told = {"form": upload.form, "files": upload.files}
    try:
        parsed = await _read(ctx, tools, kind, read, upload)
        await _write(tools, ctx, place, parsed)
        await _publish(ctx, tools, kind, upload, parsed)
    except Fail as failure:
        ended = {"status": "failed", "error": failure.code, "error_detail": failure.detail}
        await copy_job(tools.database, tools.storage, ctx.tenant_id, place, **told, **ended)
        raise
    await copy_job(tools.database, tools.storage, ctx.tenant_id, place, **told)


async def _load(ctx: JobContext) -> Upload:
    async with ctx.session() as session:
        upload = await session.get(Upload, (ctx.tenant_id, UUID(ctx.input["upload_id"])))
    if upload is None:
        raise Fail("upload_gone", "The upload was removed. Upload the files again.")
    if str(upload.parse_job_id) != ctx.job_id:
        raise Cancel("another parse of the same upload was asked for since")
    return upload


async def _read(ctx: JobContext, tools: Tools, kind: UploadKind, read: Read, upload: Upload) -> Parsed:
    pages = Recognised(tools.storage, ctx.tenant_id, Place(kind.path, upload.job_id))
    async with _opened(kind, upload, tools) as files:
        failpoint("parse.opened")
        try:
            parsed = await read(Work(upload, ctx.input.get("selected"), files, pages, ctx, tools))
        except DocumentFailure as failure:
            raise Fail(failure.code, f"{failure}. {failure.cure}") from failure
    failpoint("parse.read")
    return parsed


@asynccontextmanager
async def _opened(kind: UploadKind, upload: Upload, tools: Tools) -> AsyncIterator[Mapping[str, Sequence[SourceFile]]]:
    """The upload's files as paths on this machine, for as long as they are read."""
    async with AsyncExitStack() as stack:
        files: dict[str, list[SourceFile]] = {}
        for stored, key in sources_of(kind.path, upload):
            try:
                path = await stack.enter_async_context(tools.storage.local(upload.tenant_id, key))
            except NotStored as error:
                raise Fail(
                    "source_gone", f"{stored['name']} is not stored any more. Upload the files again."
                ) from error
            files.setdefault(stored["field"], []).append(SourceFile(stored["name"], path))
        yield files


async def _write(tools: Tools, ctx: JobContext, place: Place, parsed: Parsed) -> None:
    """Into a folder of this attempt's own. What earlier ones left goes: they ended, or can publish nothing any more."""
    for attempt in range(1, ctx.attempt):
        await tools.storage.remove(ctx.tenant_id, place.attempt(attempt))
    outputs = {"parsed.json": json.dumps(parsed.document), "warnings.json": json.dumps(parsed.document["warnings"])}
    outputs |= {name: content.encode() for name, content in parsed.texts.items()}
    try:
        for name, content in outputs.items():
            await tools.storage.put(ctx.tenant_id, f"{place.attempt(ctx.attempt)}/{name}", content)
    except StorageFull as full:
        raise Retry(f"{full.title}. {full.cure}", code=full.code) from full
    failpoint("parse.written")


async def _publish(ctx: JobContext, tools: Tools, kind: UploadKind, upload: Upload, parsed: Parsed) -> None:
    """The draft and the job's end, in one transaction."""
    try:
        async with ctx.complete(parsed.result) as session:
            await _renew(session, ctx, kind, upload, parsed)
    except (Outcome, StaleAttempt):  # overtaken: nobody will look for what was written
        await tools.storage.remove(ctx.tenant_id, Place(kind.path, UUID(ctx.job_id)).attempt(ctx.attempt))
        raise


async def _renew(session: AsyncSession, ctx: JobContext, kind: UploadKind, upload: Upload, parsed: Parsed) -> None:
    values = {
        "tenant_id": ctx.tenant_id,
        "upload_id": upload.job_id,
        "parse_job_id": UUID(ctx.job_id),
        "parsed": _storable(parsed.document),
        "attempt": ctx.attempt,
        "renewed": sorted(kind.renewed),
    }
    if await session.scalar(_PUBLISH, values) is None:
        raise Cancel("the upload was confirmed, removed or parsed anew meanwhile")


def _storable(document: dict[str, Any]) -> str:
    """As JSON without the one character that no database text can hold, and some documents do."""
    found = json.text(document)
    return json.text(_without_nul(document)) if "\\u0000" in found else found


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\x00", "")
        case list():
            return [_without_nul(each) for each in value]
        case dict():
            return {_without_nul(key): _without_nul(each) for key, each in value.items()}
        case _:
            return value


_PUBLISH = text(
    """
    update uploads set parsed = cast(:parsed as jsonb), attempt = :attempt, draft_version = draft_version + 1,
                       edits = edits - cast(:renewed as text[]), updated_at = now()
    where tenant_id = :tenant_id and job_id = :upload_id and parse_job_id = :parse_job_id and confirmed_at is null
    returning draft_version
    """
)
