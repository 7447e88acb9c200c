"""A school as a client of the public API: its pupils ask, its teachers upload, its office looks."""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

import httpx

Job = dict[str, Any]

LIVE = ("queued", "processing")


class Turn(NamedTuple):
    """A question and what became of it."""

    pupil: str
    job: Job
    seconds: float  # from the question to its answer


class School:
    """One tenant and its key."""

    def __init__(self, name: str, url: str, key: str) -> None:
        self.name = name
        self._api = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=90,
            limits=httpx.Limits(max_connections=200),
        )

    async def close(self) -> None:
        await self._api.aclose()

    async def say(self, pupil: str, text: str) -> Job:
        """Ask, waiting for a place where the lane is full, as a page would."""
        body = {"messages": [{"role": "user", "content": text}], "role": "student", "student_id": pupil}
        while True:
            answer = await self._api.post("/v1/chat", json=body | {"session_id": "today"})
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return self._job(answer)
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))

    async def ask(self, pupil: str, text: str) -> Turn:
        began = time.monotonic()
        job = await self.ended(await self.say(pupil, text))
        return Turn(pupil, job, time.monotonic() - began)

    async def submit(self, kind: str, queue: str, **given: Any) -> Job:
        return self._job(await self._api.post("/v1/jobs", json={"kind": kind, "queue": queue, "input": given}))

    async def submit_many(self, jobs: list[Job]) -> list[Job]:
        answer = await self._api.post("/v1/jobs/bulk", json={"jobs": jobs})
        answer.raise_for_status()
        return [each["job"] for each in answer.json()["data"]]

    async def upload(self, path: str, form: dict[str, str], files: list[tuple[str, tuple[str, bytes]]]) -> Job:
        return self._job(await self._api.post(f"/v1/{path}/uploads", data=form, files=files))

    async def draft(self, job: Job) -> dict[str, Any]:
        answer = await self._api.get(job["links"]["draft"])
        answer.raise_for_status()
        draft: dict[str, Any] = answer.json()
        return draft

    async def confirm(self, path: str, job: Job) -> httpx.Response:
        return await self._api.post(f"/v1/{path}/uploads/{job['job_id']}/confirm")

    async def use_model(self, base_url: str) -> None:
        wish = {"base_url": base_url, "model": "a-model", "api_key": "an-expired-key"}
        (await self._api.put("/v1/llm", json=wish)).raise_for_status()

    async def use_no_model(self) -> None:
        (await self._api.delete("/v1/llm")).raise_for_status()

    async def retry(self, job: Job) -> Job:
        return self._job(await self._api.post(job["links"]["retry"]))

    async def read(self, job: Job) -> Job:
        return self._job(await self._api.get(job["links"]["self"]))

    async def attempts(self, job: Job) -> list[str]:
        answer = await self._api.get(f"{job['links']['self']}/attempts")
        return [each["status"] for each in answer.json()["data"]]

    async def begun(self, job: Job) -> None:
        """Return once it runs."""
        async with asyncio.timeout(60):
            while (await self.read(job))["status"] == "queued":  # noqa: ASYNC110 - another process decides
                await asyncio.sleep(0.05)

    async def ended(self, job: Job) -> Job:
        """The job when it is terminal, by waiting at the API."""
        while job["status"] in LIVE:
            job = self._job(await self._api.get(job["links"]["self"], headers={"Prefer": "wait=30"}))
        return job

    def _job(self, answer: httpx.Response) -> Job:
        if answer.is_error:
            raise RuntimeError(f"{self.name}: {answer.request.url.path} answered {answer.status_code}: {answer.text}")
        job: Job = answer.json()
        return job
