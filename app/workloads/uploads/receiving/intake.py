"""Receive an upload: each file goes to storage while it arrives, within the tenant's limits."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from app.kit.failpoints import failpoint
from app.storage.port import Storage
from app.tenancy.limits import TenantLimits
from app.workloads.uploads.files import Place, StoredFile
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.receiving.form import invalid, problem
from app.workloads.uploads.receiving.heads import HEAD, check_head, shown_name, suffix_of
from app.workloads.uploads.receiving.multipart import FormReader, Part
from app.workloads.uploads.refusals import FileTooLarge, InvalidForm, TooManyFiles, UploadTooLarge

TEXT_BYTES = 64 * 1024  # of one field
TEXTS = 2_000  # fields: a list is one for each of its items
OVERHEAD = 1024 * 1024  # bytes of a form beside its files


@dataclass
class Received:
    """What has arrived of a form."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    files: list[StoredFile] = field(default_factory=list)
    bytes: int = 0  # of the files


class Intake:
    """Receives one upload of a tenant into its place."""

    def __init__(self, kind: UploadKind, limits: TenantLimits, storage: Storage, tenant_id: str, place: Place) -> None:
        self._kind = kind
        self._limits = limits
        self._storage = storage
        self._tenant_id = tenant_id
        self._place = place
        self._received = Received()
        self._of_field: Counter[str] = Counter()

    async def receive(self, content_type: str, body: AsyncIterator[bytes]) -> Received:
        """All of the form. Whoever calls removes the place where this raises."""
        async for part in FormReader(content_type, self._bounded(body)).parts():
            if part.filename is None and part.name in self._kind.form.model_fields:
                await self._text(part)
            elif part.filename is not None and part.name in self._kind.file_fields:
                await self._file(part, part.filename)
            else:
                raise self._unknown(part)
        failpoint("uploads.received")
        return self._received

    async def _bounded(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        arrived = 0
        async for chunk in body:
            arrived += len(chunk)
            if arrived > self._limits.upload_total_bytes + OVERHEAD:
                raise self._too_large()
            yield chunk

    async def _text(self, part: Part) -> None:
        content = bytearray()
        async for chunk in part.content:
            content += chunk
            if len(content) > TEXT_BYTES:
                raise invalid([problem(part.name, f"Longer than {TEXT_BYTES} bytes")])
        self._of_field[""] += 1
        if self._of_field[""] > TEXTS:
            raise invalid([problem(part.name, f"One of more than {TEXTS} fields")])
        try:
            self._received.texts.setdefault(part.name, []).append(content.decode())
        except UnicodeDecodeError:
            raise invalid([problem(part.name, "Not UTF-8")]) from None

    async def _file(self, part: Part, filename: str) -> None:
        arriving = _Arriving(part.content)
        if not filename and not await arriving.peek():  # what a browser sends for a field that was left empty
            return
        self._of_field[part.name] += 1
        if self._of_field[part.name] > self._limits.upload_files:
            raise TooManyFiles(f"{part.name} takes at most {self._limits.upload_files} files.")
        name, number = shown_name(filename), len(self._received.files) + 1
        suffix = suffix_of(name)
        stored = f"{number:02}{suffix}"
        content = self._measured(name, arriving)
        await self._storage.put(self._tenant_id, self._place.source(stored), content)
        failpoint("uploads.stored")
        check_head(name, suffix, bytes(arriving.head), arriving.size)
        digest = arriving.digest.hexdigest()
        self._received.files.append(
            StoredFile(number=number, field=part.name, name=name, stored=stored, bytes=arriving.size, digest=digest)
        )

    async def _measured(self, name: str, arriving: _Arriving) -> AsyncIterator[bytes]:
        """What arrives, until a limit is passed."""
        async for chunk in arriving.chunks():
            self._received.bytes += len(chunk)
            if arriving.size > self._limits.upload_file_bytes:
                raise FileTooLarge(f"{name!r} is larger than {self._limits.upload_file_bytes} bytes.")
            if self._received.bytes > self._limits.upload_total_bytes:
                raise self._too_large()
            yield chunk

    def _too_large(self) -> UploadTooLarge:
        return UploadTooLarge(f"All files together may have {self._limits.upload_total_bytes} bytes.")

    def _unknown(self, part: Part) -> InvalidForm:
        name = shown_name(part.name)
        if part.name in self._kind.file_fields:
            return invalid([problem(name, "Must be a file: the part has no filename")])
        if part.name in self._kind.form.model_fields:
            return invalid([problem(name, "Must be text: the part has a filename")])
        known = ", ".join([*self._kind.form.model_fields, *self._kind.file_fields])
        return invalid([problem(name, f"No field of this form; there are {known}")])


class _Arriving:
    """A file on its way: what is known of it so far."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self._content = content
        self._first = b""
        self.head = bytearray()
        self.size = 0
        self.digest = hashlib.blake2b(digest_size=32)

    async def peek(self) -> bytes:
        self._first = await anext(self._content, b"")
        return self._first

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._note(self._first)
        async for chunk in self._content:
            yield self._note(chunk)

    def _note(self, chunk: bytes) -> bytes:
        self.size += len(chunk)
        self.digest.update(chunk)
        if len(self.head) < HEAD:
            self.head += chunk[: HEAD - len(self.head)]
        return chunk
