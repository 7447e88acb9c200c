"""What the routes of uploads depend on: who may ask, and which upload is meant."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path

from app.api.deps import Caller, Reader, RequestId, TheServices, Writer
from app.api.preferences import ClientKey
from app.api.problems import refusals
from app.tenancy.access import Principal
from app.workloads.uploads.accepting import Client
from app.workloads.uploads.refusals import TeachersOnly, UploadExpired, UploadNotFound

NOT_FOUND = refusals(TeachersOnly, UploadNotFound, UploadExpired)


async def refuse_students(caller: Caller) -> None:
    """What is uploaded holds answers and other people's marks."""
    if caller.role == "student":
        raise TeachersOnly("The token is a student's.")


async def get_reader(reader: Reader, _: Annotated[None, Depends(refuse_students)]) -> Principal:
    return reader


async def get_writer(writer: Writer, _: Annotated[None, Depends(refuse_students)]) -> Principal:
    return writer


UploadReader = Annotated[Principal, Depends(get_reader)]
UploadWriter = Annotated[Principal, Depends(get_writer)]


async def get_client(writer: UploadWriter, services: TheServices, request_id: RequestId, key: ClientKey) -> Client:
    limits = (await services.policies.of(writer.tenant_id)).limits
    return Client(writer.tenant_id, limits, request_id, key)


TheClient = Annotated[Client, Depends(get_client)]


async def get_upload_id(
    job_id: Annotated[str, Path(description="The upload's: its first job's", json_schema_extra={"format": "uuid"})],
) -> UUID:
    """An id that cannot be one is no upload's, like any other that is not known."""
    try:
        return UUID(job_id)
    except ValueError:
        raise UploadNotFound("No upload of this tenant has this id.") from None


UploadId = Annotated[UUID, Depends(get_upload_id)]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The `ETag` of the draft that is meant; 412 when it has changed")
]
