"""GET /<path>/uploads/{id}/files/{n}: a source as it arrived, to be looked at beside the draft."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse

from app.api.deps import TheServices
from app.api.problems import refusals
from app.api.wire import edge_router
from app.storage.port import NotStored
from app.workloads.uploads import drafts
from app.workloads.uploads.files import StoredFile, sources_of
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.refusals import FileNotFound
from app.workloads.uploads.routes.deps import NOT_FOUND, UploadId, UploadReader

# What a browser may show by itself; everything else it is to save, hypertext above all.
SHOWN = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
}
SAVED = "application/octet-stream"

Number = Annotated[int, Path(ge=1, le=1000, description="As `files` of the upload numbers them")]
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {SAVED: {"schema": {"type": "string", "format": "binary"}}}}
}


def build(kind: UploadKind) -> APIRouter:
    router = edge_router(kind.path)

    @router.get(
        f"/{kind.path}/uploads/{{job_id}}/files/{{n}}",
        name=f"read_{kind.name}_file",
        summary=f"Read a file of an {kind.name}",
        status_code=200,
        response_class=StreamingResponse,
        responses={**_CONTENT, **NOT_FOUND, **refusals(FileNotFound)},
    )
    async def read_file(job_id: UploadId, n: Number, reader: UploadReader, services: TheServices) -> Response:
        """A source exactly as it was uploaded. It may hold anything: a page that shows it must not run it."""
        async with services.database.session(reader.tenant_id) as session:
            seen = await drafts.get(session, reader.tenant_id, kind, job_id)
        found = next(((file, key) for file, key in sources_of(kind.path, seen.upload) if file["number"] == n), None)
        if found is None:
            raise FileNotFound(f"The upload has {len(seen.upload.files)} file(s).")
        content = services.storage.read(reader.tenant_id, found[1])
        try:
            first = await anext(content, b"")
        except NotStored:
            raise FileNotFound("The file is not stored any more.") from None
        return StreamingResponse(_with(first, content), headers=_headers(found[0]))

    return router


async def _with(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


def _headers(file: StoredFile) -> dict[str, str]:
    media = SHOWN.get(PurePosixPath(file["stored"]).suffix, SAVED)
    way, name = "attachment" if media == SAVED else "inline", quote(file["name"], safe="")
    return {
        "Content-Type": media,
        "Content-Length": str(file["bytes"]),
        "Content-Disposition": f"{way}; filename=\"{file['stored']}\"; filename*=UTF-8''{name}",
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        "Cache-Control": "private, max-age=3600",
    }
