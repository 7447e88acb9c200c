"""Uploading assignments to a deployment over its public API, as a client would."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.chat import ended

# A worksheet that says of itself what an assignment has to say, but for what only its teacher knows.
WORKSHEET = """\
Grade 8 Physics Homework
Unit 3: Electric circuits
Time allowed: 40 minutes
Topic: circuits

1. State Ohm's law in words. (4 points)
Answer: The current is proportional to the voltage.
Knowledge points: Ohm's law
Difficulty: easy

2. Which of these is measured in ohms? (2 points)
A. current  B. resistance  C. voltage  D. charge
Answer: B
Knowledge points: resistance, units

3. Two lamps of 6 ohms each form a series circuit with a battery of 12 V. Calculate the current. (6 points) [hard]
Answer: 1 A
Solution: The resistance is 12 ohms.
Knowledge points: series circuits
"""
REQUIREMENTS = {
    "class_level": "mixed",
    "misconceptions": [
        "Current is used up by a lamp.",
        "Voltage flows through a wire.",
        "Resistance depends on the current.",
        "Lamps in series are all brighter.",
    ],
    "preferences": ["A", "F"],
}


async def upload(
    api: httpx.AsyncClient, text: str = WORKSHEET, *, name: str = "sheet.txt", files: Any = None, **fields: Any
) -> dict[str, Any]:
    """An accepted upload's job."""
    given = files if files is not None else [("files", (name, text.encode()))]
    answer = await api.post("/v1/assignments/uploads", files=given, data=fields)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def parsed(api: httpx.AsyncClient, *arguments: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The job of an upload when it has ended well, and its draft."""
    job = await ended(api, await upload(api, *arguments, **options), within=60.0)
    assert job["status"] == "done", job
    answer = await api.get(job["links"]["draft"])
    assert answer.status_code == 200, answer.text
    draft: dict[str, Any] = answer.json()
    return job, draft


async def edit(api: httpx.AsyncClient, job: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """The draft, changed on its latest version."""
    current = (await api.get(job["links"]["draft"])).headers["ETag"]
    answer = await api.put(job["links"]["draft"], json=sections, headers={"If-Match": current})
    assert answer.status_code == 200, answer.text
    draft: dict[str, Any] = answer.json()
    return draft


async def confirm(api: httpx.AsyncClient, job: dict[str, Any]) -> httpx.Response:
    return await api.post(f"/v1/assignments/uploads/{job['job_id']}/confirm")
