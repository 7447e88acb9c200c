"""A kind of upload of the tests' own, in the place of exams: its files are text, a question a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import httpx
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from app.core import setup
from app.core.worker import build
from app.documents.failures import DocumentFailure
from app.documents.sandbox.run import SourceFile
from app.engine.context import JobContext
from app.engine.outbox import SUBMIT, emit
from app.engine.runtime import Runtime
from app.engine.workload import JobKind, Workload
from app.workloads import WORKLOADS
from app.workloads.uploads.describing import describer
from app.workloads.uploads.keeping import Kept, expiry_of, tidying_of
from app.workloads.uploads.kind import Draft, Missing, UploadKind
from app.workloads.uploads.models import Upload
from app.workloads.uploads.parsing import Parsed, Work, parse_upload
from app.workloads.uploads.routes import upload_router
from app.workloads.uploads.schemas import ParseInput
from app.workloads.uploads.tools import Tools
from tests.support.deployment import Deployment, serve_api, serve_worker

PAPER = ("paper_files", ("paper.txt", b"1. What is a half?\n2. What is a third?\n", "text/plain"))


class TrialForm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    trial_id: str | None = None
    weight: int = 1
    student_ids: list[str] = []


class TrialDraft(BaseModel):
    questions: list[str]
    notes: str
    total: int


class TrialEdit(BaseModel):
    questions: list[str] | None = None
    notes: str | None = None


class TrialResult(BaseModel):
    questions: int


def draw(upload: Upload) -> Draft:
    draft: Draft = {**(upload.parsed or {}), **upload.edits}
    return {"questions": draft["questions"], "notes": draft["notes"], "total": len(draft["questions"])}


def missing(_upload: Upload, draft: Draft) -> Sequence[Missing]:
    holes = [number for number, text in enumerate(draft["questions"]) if not text]
    return [Missing(f"/questions/{number}", "The question has no text") for number in holes]


async def confirm(session: AsyncSession, upload: Upload, draft: Draft) -> None:
    effect = {"kind": "diagnostics.echo", "input": {"confirmed": upload.record_id, "questions": draft["questions"]}}
    await emit(session, upload.tenant_id, SUBMIT, effect)


TRIALS = UploadKind(
    name="exam",
    path="trials",
    job_kind="trial.parse",
    form=TrialForm,
    record_id=lambda form: form.trial_id if isinstance(form, TrialForm) else None,
    file_fields={"paper_files": True, "score_files": False},
    essential=("paper_files",),
    draft=TrialDraft,
    edit=TrialEdit,
    renewed=frozenset({"questions"}),
    draw=draw,
    missing=missing,
    confirm=confirm,
)
describe = describer(TRIALS)
KEPT = Kept(TRIALS.name, TRIALS.path, TRIALS.job_kind)
expire, tidy = expiry_of(KEPT), tidying_of(KEPT)
router = upload_router(TRIALS)


async def parse(ctx: JobContext, tools: Tools) -> None:
    await parse_upload(ctx, tools, TRIALS, read)


async def read(work: Work) -> Parsed:
    lines = await asyncio.to_thread(lambda: [*_lines(work.sources("paper_files"))])
    if lines[0].startswith("unreadable"):
        raise DocumentFailure("no_questions", "there is no question in it")
    questions = [line if work.selected is None else f"{work.selected}: {line}" for line in lines]
    return Parsed({"questions": questions, "notes": "", "warnings": []}, {"questions": len(questions)})


def _lines(files: Sequence[SourceFile]) -> Iterator[str]:
    for file in files:
        yield from file.path.read_text("utf-8").splitlines()


def with_trials() -> tuple[Workload, ...]:
    kind = JobKind(
        name="trial.parse",
        task="tests.support.uploads:parse",
        input=ParseInput,
        result=TrialResult,
        summary="Reads questions, one a line",
        lanes=False,
        public=False,
        describes="tests.support.uploads:describe",
    )
    instead: dict[str, Any] = {
        "kinds": (kind,),
        "routes": "tests.support.uploads:router",
        "tools": "app.workloads.uploads.tools:open_tools",
        "on_expire": "tests.support.uploads:expire",
        "on_tidy": "tests.support.uploads:tidy",
    }
    return tuple(replace(each, **instead) if each.name == "exam" else each for each in WORKLOADS)


@contextmanager
def trials_known() -> Iterator[None]:
    """Within the block, an API and a worker that are composed know the kind."""
    known = with_trials()
    with mock.patch.object(setup, "WORKLOADS", known), mock.patch.object(build, "WORKLOADS", known):
        yield


@asynccontextmanager
async def serve_trials(deployment: Deployment, **environment: str) -> AsyncIterator[httpx.AsyncClient]:
    with trials_known():
        async with serve_api(deployment, **environment) as client:
            yield client


@asynccontextmanager
async def trial_worker(deployment: Deployment, **environment: str) -> AsyncIterator[Runtime]:
    with trials_known():
        async with serve_worker(deployment, "exam", **environment) as runtime:
            yield runtime


async def upload(
    api: httpx.AsyncClient, *files: Any, headers: dict[str, str] | None = None, **form: Any
) -> httpx.Response:
    """Send a form; a paper of two questions where no file is given."""
    fields = {"title": "Fractions", **form}
    return await api.post("/v1/trials/uploads", data=fields, files=[*files] or [PAPER], headers=headers)


class Paper:
    """One upload, as its teacher goes on with it."""

    def __init__(self, api: httpx.AsyncClient, job: dict[str, Any]) -> None:
        self.api = api
        self.job_id: str = job["job_id"]
        self.address = f"/v1/trials/uploads/{self.job_id}"

    async def draft(self, **headers: str) -> httpx.Response:
        return await self.api.get(f"{self.address}/draft", headers=headers)

    async def put(self, body: Any, *, tag: str | None = None) -> httpx.Response:
        tag = tag if tag is not None else (await self.draft()).headers["ETag"]
        return await self.api.put(f"{self.address}/draft", json=body, headers={"If-Match": tag})

    async def confirm(self, body: Any = None, **headers: str) -> httpx.Response:
        return await self.api.post(f"{self.address}/confirm", json=body, headers=headers)

    async def reparse(self, selected: str | None = None, **headers: str) -> httpx.Response:
        return await self.api.post(f"{self.address}/reparse", json={"selected": selected}, headers=headers)

    async def state(self) -> tuple[str, int]:
        document = (await self.api.get(self.address)).json()["upload"]
        return document["draft_status"], document["draft_version"]
