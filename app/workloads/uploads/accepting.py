"""Accept an upload: the files first, then one commit for its job and its row.

A crash in between leaves a folder that no row knows; `keeping` removes it. The other way round, a job would be
accepted whose files are not there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.engine.ledger.newjob import Accepted, NewJob
from app.engine.requests import Wish, accept
from app.engine.submit import Submitter
from app.engine.workload import Registry
from app.kit.db import Connection
from app.kit.errors import Refusal
from app.kit.failpoints import failpoint
from app.kit.ids import uuid7
from app.kit.logging import get_logger
from app.storage.port import Storage, StorageFull
from app.tenancy.limits import TenantLimits
from app.workloads.uploads.files import Place
from app.workloads.uploads.jobfile import first_words, write_copy
from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.receiving.form import check_form
from app.workloads.uploads.receiving.intake import OVERHEAD, Intake, Received
from app.workloads.uploads.refusals import UploadTooLarge
from app.workloads.uploads.store import NewUpload, supersede

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Client:
    """Who uploads, and under which names of their own."""

    tenant_id: str
    limits: TenantLimits
    request_id: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Uploads:
    """Accepts uploads of one kind."""

    kind: UploadKind
    registry: Registry
    submitter: Submitter
    storage: Storage

    async def receive(
        self, client: Client, content_type: str, body: AsyncIterator[bytes], *, declared: int | None
    ) -> Accepted:
        """Store the files and accept their job. What is refused, or was accepted before, leaves no file behind."""
        await self._make_sure_of_room(client, declared)
        place = Place(self.kind.path, uuid7())
        try:
            intake = Intake(self.kind, client.limits, self.storage, client.tenant_id, place)
            wish = await self._wish(client, place, await intake.receive(content_type, body))
        except BaseException:
            await self._remove(client.tenant_id, place)
            raise
        try:
            accepted = await self.submitter.submit(accept(self.registry, wish, public_only=False))
        except Refusal:  # of another trouble nobody knows whether the job was accepted: then the files stay
            await self._remove(client.tenant_id, place)
            raise
        if accepted.job.job_id != place.job_id:
            await self._remove(client.tenant_id, place)
        failpoint("uploads.accepted")
        return accepted

    async def reparse(self, client: Client, upload_id: UUID, selected: str | None) -> Accepted:
        """Read the files of an upload once more. Its new job is the latest from the moment that it exists."""

        async def take_over(connection: Connection, job: NewJob) -> None:
            refusal = await supersede(connection, job.tenant_id, self.kind.name, upload_id, by=job.job_id)
            if refusal is not None:
                raise refusal

        wish = self._wish_for(client, {"upload_id": str(upload_id), "selected": selected}, uuid7())
        wish.alongside = take_over
        return await self.submitter.submit(accept(self.registry, wish, public_only=False))

    async def _wish(self, client: Client, place: Place, received: Received) -> Wish:
        form = check_form(self.kind, received.texts, [file["field"] for file in received.files])
        fields = form.model_dump(mode="json")
        record_id = self.kind.record_id(form) or str(place.job_id)
        new = NewUpload(self.kind.name, record_id, fields, received.files)
        wish = self._wish_for(client, {"upload_id": str(place.job_id), "selected": None}, place.job_id)
        wish.meaning = {"form": fields, "files": [[file["field"], file["digest"]] for file in received.files]}
        wish.alongside = new.keep
        words = first_words(place.job_id, self.kind.job_kind, client.request_id)
        await write_copy(self.storage, client.tenant_id, place, words | {"form": fields, "files": received.files})
        failpoint("uploads.copied")
        return wish

    def _wish_for(self, client: Client, value: dict[str, Any], job_id: UUID) -> Wish:
        return Wish(
            tenant_id=client.tenant_id,
            kind=self.kind.job_kind,
            input=value,
            request_id=client.request_id,
            idempotency_key=client.idempotency_key,
            job_id=job_id,
        )

    async def _make_sure_of_room(self, client: Client, declared: int | None) -> None:
        """Rather now than after megabytes have come in vain."""
        if declared is None:
            return
        if declared > client.limits.upload_total_bytes + OVERHEAD:
            raise UploadTooLarge(f"All files together may have {client.limits.upload_total_bytes} bytes.")
        free = await self.storage.free(client.tenant_id)
        if free is not None and declared > free:
            raise StorageFull("The disk that keeps the files has no room for an upload of this size.")

    async def _remove(self, tenant_id: str, place: Place) -> None:
        try:
            await self.storage.remove(tenant_id, place.folder)
        except Exception:  # what was wrong before is what the client must hear; the folder goes with the leftovers
            log.exception("the files of a refused upload could not be removed", folder=place.folder)
