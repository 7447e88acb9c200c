"""/profiles: what is known of students, and telling more."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from app.api.admin.deps import Admin, AdminsHand
from app.api.deps import Reader, RequestId, TheServices, Writer
from app.api.headers import headers as described
from app.api.jobs.deps import WritableJobs
from app.api.jobs.submit import BODY_REFUSALS, JOB_REFUSALS, RESPONSES, submit
from app.api.pages import Limit, NameCursor, NumberCursor, PageNameCursor, PageNumberCursor, cut, page
from app.api.preferences import ClientKey, IfNoneMatch, PreferredWait, etag_of, none_match
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, edge_router, encode
from app.engine.requests import Wish
from app.kit.words import fold
from app.tenancy.access import NotYours, Principal
from app.workloads.profile import reading
from app.workloads.profile.mastery import Standing
from app.workloads.profile.picture import OverallView, Picture, SourceView
from app.workloads.profile.reading import ProfileBusy, ProfileNotFound, Wanted
from app.workloads.profile.schemas import Label, PointName, StudentId, UpdateContent

router = edge_router("profiles")

StudentInPath = Annotated[StudentId, Path(alias="student_id", description="The student's id", examples=["s1"])]


class RemarkDocument(BaseModel):
    """Something that was noted."""

    text: str
    at: datetime
    source: SourceView


class ProfileDocument(Picture):
    """What is known of a student."""

    student_id: str
    name: str | None
    class_name: str | None
    version: Annotated[int, Field(description="Counts the merges of updates")]
    notes: Annotated[list[RemarkDocument], Field(description="The last 20")]
    misconceptions: Annotated[list[RemarkDocument], Field(description="The last 20")]
    created_at: datetime
    updated_at: datetime


class ListedProfile(BaseModel):
    student_id: str
    name: str | None
    class_name: str | None
    version: int
    overall: OverallView
    weak: list[str]
    next_focus: list[str]
    updated_at: datetime


class ProfilePage(BaseModel):
    """By the student's id."""

    data: list[ListedProfile]
    has_more: bool
    next_cursor: str | None


class PointChange(BaseModel):
    """How a knowledge point stood before and after."""

    name: str
    standing: Annotated[list[Standing | None], Field(min_length=2, max_length=2)]
    mastery: Annotated[list[float | None], Field(min_length=2, max_length=2)]


class VersionDocument(BaseModel):
    """A merge."""

    version: int
    at: datetime
    job_id: Annotated[UUID, Field(description="The run that merged")]
    sources: Annotated[list[SourceView], Field(description="What it took in")]
    changes: Annotated[list[PointChange], Field(description="The largest first")]


class VersionPage(BaseModel):
    """The latest first."""

    data: list[VersionDocument]
    has_more: bool
    next_cursor: str | None


@router.post(
    "/profiles/{student_id}/updates",
    status_code=202,
    summary="Tell what was found out about a student",
    responses=RESPONSES | refusals(*BODY_REFUSALS, *JOB_REFUSALS, NotYours),
)
async def update_profile(
    *,
    student_id: StudentInPath,
    content: UpdateContent,
    jobs: WritableJobs,
    writer: Writer,
    request_id: RequestId,
    key: ClientKey,
    wait: PreferredWait,
) -> Response:
    """Submit a job `profile.update`, in the lane of the student: a student's updates are merged in order, one run at a
    time, and a run takes along all that waits. None is turned away because others wait."""
    _check_tells(writer)
    wish = Wish(
        tenant_id=jobs.tenant_id,
        kind="profile.update",
        input={"student_id": student_id, **content.model_dump(mode="json")},
        request_id=request_id,
        idempotency_key=key,
    )
    return await submit(jobs, wish, wait)


@router.get(
    "/profiles",
    summary="List profiles",
    responses={200: {"model": ProfilePage}, **refusals(InvalidCursor)},
)
async def list_profiles(
    *,
    reader: Reader,
    services: TheServices,
    cursor: PageNameCursor,
    class_name: Annotated[Label | None, Query(description="Only of this class")] = None,
    weak: Annotated[PointName | None, Query(description="Only who is weak at this knowledge point")] = None,
    limit: Limit = 20,
) -> Response:
    """The tenant's profiles, by the student's id; a student's token sees that student's alone."""
    wanted = Wanted(_only(reader), class_name, fold(weak) if weak is not None else None)
    after = cursor.name if cursor is not None else ""
    async with services.database.tenant(reader.tenant_id) as connection:
        rows = await reading.list_profiles(connection, reader.tenant_id, wanted, after=after, limit=limit)
    shown, following = cut(rows, limit, lambda row: NameCursor(row.student_id))
    return JsonResponse(page([asdict(row) for row in shown], following))


@router.get(
    "/profiles/{student_id}",
    summary="Read a profile",
    responses={
        200: {"model": ProfileDocument, "headers": described("ETag")},
        304: {"description": "Unchanged.", "headers": described("ETag")},
        **refusals(ProfileNotFound, NotYours),
    },
)
async def read_profile(
    student_id: StudentInPath, reader: Reader, services: TheServices, if_none_match: IfNoneMatch = None
) -> Response:
    """How well the student knows what, by all results that were told; what to practise next; the last notes."""
    _check_sees(reader, student_id)
    async with services.database.tenant(reader.tenant_id) as connection:
        row = asdict(await reading.get_profile(connection, reader.tenant_id, student_id))
    body = encode({**row.pop("picture"), **row})
    headers = {"ETag": etag_of(body), "Cache-Control": "private, no-cache"}
    if none_match(if_none_match, headers["ETag"]):
        return JsonResponse(body, headers=headers)
    return Response(status_code=304, headers=headers)


@router.get(
    "/profiles/{student_id}/history",
    summary="Read how a profile came to be",
    responses={200: {"model": VersionPage}, **refusals(ProfileNotFound, NotYours, InvalidCursor)},
)
async def list_versions(
    *,
    student_id: StudentInPath,
    reader: Reader,
    services: TheServices,
    cursor: PageNumberCursor,
    limit: Limit = 20,
) -> Response:
    """The last 100 versions, the latest first: what each took in, and what that changed."""
    _check_sees(reader, student_id)
    before = cursor.number if cursor is not None else None
    async with services.database.tenant(reader.tenant_id) as connection:
        rows = await reading.list_versions(connection, reader.tenant_id, student_id, before=before, limit=limit)
    shown, following = cut(rows, limit, lambda row: NumberCursor(row.version))
    return JsonResponse(page([asdict(row) for row in shown], following))


@router.delete(
    "/profiles/{student_id}",
    status_code=204,
    summary="Forget a student",
    responses={204: {"description": "It is gone."}, **refusals(ProfileNotFound, ProfileBusy, NotYours)},
)
async def forget_student(student_id: StudentInPath, admin: Admin, services: TheServices, by: AdminsHand) -> Response:
    """Needs the scope `admin`, and is recorded. The profile goes with its results, notes and history, and its jobs lose
    what they told; confirmed exams and assignments stay what they are."""
    _check_tells(admin)
    async with services.database.session(admin.tenant_id) as session:
        await reading.forget(session, admin.tenant_id, student_id, by)
    return Response(status_code=204)


def _check_sees(principal: Principal, student_id: str) -> None:
    if principal.role == "student" and principal.subject != student_id:
        raise NotYours("A student's token sees that student's profile.")


def _check_tells(principal: Principal) -> None:
    if principal.role == "student":
        raise NotYours("A student's token reads the profile, and changes nothing of it.")


def _only(principal: Principal) -> str | None:
    return principal.subject if principal.role == "student" else None
