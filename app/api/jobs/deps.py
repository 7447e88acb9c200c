"""What the routes under /jobs depend on."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from app.api.deps import Base, Reader, TheServices, Writer
from app.api.jobs.service import NO_SUCH_JOB, Jobs
from app.api.refusals import JobNotFound
from app.engine.people import Person
from app.tenancy.access import Principal


def person_of(principal: Principal) -> Person | None:
    """Whom the token names; None for a key, and for a token that names no role."""
    if principal.role is None or principal.subject is None:
        return None
    return Person(principal.role, principal.subject)


async def get_readable(services: TheServices, reader: Reader, base: Base) -> Jobs:
    return Jobs(services, reader.tenant_id, base, person_of(reader))


async def get_writable(services: TheServices, writer: Writer, base: Base) -> Jobs:
    return Jobs(services, writer.tenant_id, base, person_of(writer))


async def get_job_id(job_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})]) -> UUID:
    """An id that cannot be one is no job's, like any other that is not known."""
    try:
        return UUID(job_id)
    except ValueError:
        raise JobNotFound(NO_SUCH_JOB) from None


ReadableJobs = Annotated[Jobs, Depends(get_readable)]
WritableJobs = Annotated[Jobs, Depends(get_writable)]
JobId = Annotated[UUID, Depends(get_job_id)]
