"""POST /jobs/bulk: many jobs in, in one transaction; each item is accepted or refused for itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import BaseModel, Field, ValidationError

from app.api.deps import RequestId
from app.api.jobs.deps import WritableJobs
from app.api.jobs.documents import JobDocument
from app.api.jobs.schemas import BulkItem, BulkSubmission
from app.api.jobs.service import Jobs
from app.api.jobs.submit import BODY_REFUSALS
from app.api.preferences import ClientKey, client_key
from app.api.problems import Problem, invalid, problem, refusals
from app.api.wire import JsonResponse, edge_router
from app.engine.ledger.submit import Accepted, Answer, NewJob
from app.engine.submit import InvalidText
from app.kit.errors import Refusal

router = edge_router("jobs")

BREATH = 50  # items between two turns for other requests
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # in JSON text: an escaped NUL, not an escaped backslash before `u0000`


class BulkAccepted(BaseModel):
    index: int
    status: Literal[202] = 202
    job: JobDocument
    replayed: Annotated[bool | None, Field(description="The item's key stood for this earlier job")] = None


class BulkRefused(BaseModel):
    index: int
    status: Annotated[int, Field(ge=400, le=499)]
    error: Problem


class BulkAnswer(BaseModel):
    """One entry for each item, in the items' order."""

    data: list[BulkAccepted | BulkRefused]


@router.post(
    "/jobs/bulk",
    status_code=202,
    summary="Submit up to 1,000 jobs",
    responses={202: {"model": BulkAnswer}, **refusals(*BODY_REFUSALS)},
)
async def submit_jobs(
    submission: BulkSubmission, jobs: WritableJobs, request_id: RequestId, key: ClientKey
) -> Response:
    """Accept many jobs in one transaction. Read every entry: the request succeeds although items may be refused."""
    wanted: list[NewJob | Refusal] = []
    async with jobs.services.bulk_turn:
        for index, item in enumerate(submission.jobs):
            wanted.append(_read_item(jobs, index, item, key=key, request_id=request_id))
            if index % BREATH == 0:
                await asyncio.sleep(0)
    answers = await _decide(jobs, wanted)
    return JsonResponse({"data": await _entries(jobs, answers, request_id)}, status_code=202)


def _read_item(jobs: Jobs, index: int, item: Any, *, key: str | None, request_id: str) -> NewJob | Refusal:
    where = f"/body/jobs/{index}"
    try:
        read = BulkItem.model_validate(item)
        own_key = client_key(read.idempotency_key) or (f"bulk:{key}:{index}" if key is not None else None)
        # One of many waits behind the tenant's interactive jobs, unless it is said to be urgent.
        wish = read.wish(jobs.tenant_id, key=own_key, request_id=request_id, bulk=read.priority <= 0)
        new = jobs.accept(wish, where)
    except ValidationError as error:
        return invalid(error, where)
    except Refusal as refusal:
        return refusal
    if _NUL.search(new.input):  # in the shared transaction it would fail all others too
        return InvalidText("The input holds characters that no database text can hold.")
    return new


async def _decide(jobs: Jobs, wanted: Sequence[NewJob | Refusal]) -> Sequence[Answer]:
    valid = [each for each in wanted if isinstance(each, NewJob)]
    answers = iter(await jobs.services.submitter.submit_many(valid) if valid else ())
    return [next(answers) if isinstance(each, NewJob) else each for each in wanted]


async def _entries(jobs: Jobs, answers: Sequence[Answer], request_id: str) -> list[dict[str, Any]]:
    documents = iter(await jobs.documents([each.job for each in answers if isinstance(each, Accepted)]))
    entries: list[dict[str, Any]] = []
    for index, answer in enumerate(answers):
        if isinstance(answer, Refusal):
            entries.append({"index": index, "status": answer.status, "error": problem(answer, request_id)})
            continue
        entry: dict[str, Any] = {"index": index, "status": 202, "job": next(documents)}
        if answer.debounced:
            entry["job"]["debounced"] = True
        elif not answer.fresh:
            entry["replayed"] = True
        entries.append(entry)
    return entries
