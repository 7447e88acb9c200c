"""Uploading exams to a deployment over its public API, as a client would."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.chat import ended

PAPER = """\
Physics Midterm

1. Which of these is measured in ohms? (2 points)
A. current  B. resistance  C. voltage  D. charge
Knowledge points: resistance

2. Which of these conduct electricity? Select all that apply. (4 points)
A. copper  B. glass  C. iron  D. rubber
Knowledge points: conductors

3. State Ohm's law in words. (4 points)
Answer: The current is proportional to the voltage.
Knowledge points: Ohm's law, resistance

4. Two lamps of 6 ohms each form a series circuit with a battery of 12 V. Calculate the current. (10 points)
Answer: 1 A
Knowledge points: series circuits
"""
KEY = "1 B\n2 AC\n"
# Ada has 20 of 20, Ben 13, Carl 9, Dora 5; Emil was absent.
MARKS = """\
Student ID,Name,Class,Q1,Q2,Q3,Q4,Total
s1,Ada,7A,2,4,4,10,20
s2,Ben,7A,2,2,3,6,13
s3,Carl,7A,0,4,1,4,9
s4,Dora,7A,2,0,1,2,5
s5,Emil,7A,absent,absent,absent,absent,absent
"""
# The same class with letters instead of marks for what has options.
LETTERS = """\
Student ID,Name,Class,Q1,Q2,Q3,Q4
s1,Ada,7A,B,AC,4,10
s2,Ben,7A,B,A,3,6
s3,Carl,7A,A,AC,1,4
s4,Dora,7A,B,B,1,2
"""
FORM = {"exam_id": "midterm", "date": "2026-04-20", "class_name": "7A"}

File = tuple[str, tuple[str, bytes]]


def paper(text: str = PAPER, name: str = "paper.txt") -> File:
    return "paper_files", (name, text.encode())


def marks(text: str = MARKS, name: str = "marks.csv") -> File:
    return "score_files", (name, text.encode())


def key(text: str = KEY, name: str = "key.txt") -> File:
    return "answer_files", (name, text.encode())


async def upload(api: httpx.AsyncClient, *files: File, **form: str) -> dict[str, Any]:
    """An accepted upload's job; of the whole example where no file is given."""
    answer = await api.post("/v1/exams/uploads", files=[*files] or [paper(), marks(), key()], data=FORM | form)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def parsed(api: httpx.AsyncClient, *files: File, **form: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The job of an upload when it has ended well, and its draft."""
    job = await ended(api, await upload(api, *files, **form), within=90.0)
    assert job["status"] == "done", job
    return job, await draft_of(api, job)


async def draft_of(api: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    answer = await api.get(job["links"]["draft"])
    assert answer.status_code == 200, answer.text
    draft: dict[str, Any] = answer.json()
    return draft


async def edit(api: httpx.AsyncClient, job: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """The draft, changed on its latest version."""
    current = (await api.get(job["links"]["draft"])).headers["ETag"]
    answer = await api.put(job["links"]["draft"], json=sections, headers={"If-Match": current})
    assert answer.status_code == 200, answer.text
    draft: dict[str, Any] = answer.json()
    return draft


async def confirm(api: httpx.AsyncClient, job: dict[str, Any]) -> httpx.Response:
    return await api.post(f"/v1/exams/uploads/{job['job_id']}/confirm")


async def confirmed(api: httpx.AsyncClient, *files: File, **form: str) -> dict[str, Any]:
    """The exam that an upload became."""
    job, _ = await parsed(api, *files, **form)
    answer = await confirm(api, job)
    assert answer.status_code == 200, answer.text
    exam = await api.get(f"/v1/exams/{(FORM | form)['exam_id']}")
    assert exam.status_code == 200, exam.text
    document: dict[str, Any] = exam.json()
    return document


def codes(draft: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in draft["warnings"]}
