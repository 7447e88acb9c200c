"""Telling a deployment about students, and asking what became of it."""

from __future__ import annotations

from typing import Any

import httpx

from app.kit.db import Database
from tests.support.chat import ended

WAIT = {"Prefer": "wait=60"}  # the longest: a busy machine is slow, and nothing here is about speed


def result(question: str, score: float | None, of: float = 5, *points: str) -> dict[str, Any]:
    return {"question_id": question, "knowledge_points": list(points), "score": score, "max_score": of}


def exam(source_id: str, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What an exam's confirmation tells of one student."""
    return {"source": {"kind": "exam", "id": source_id, "title": f"Exam {source_id}"}, "results": list(results), **more}


async def tell(api: httpx.AsyncClient, student: str, content: dict[str, Any], **headers: str) -> dict[str, Any]:
    """An accepted update's job."""
    answer = await api.post(f"/v1/profiles/{student}/updates", json=content, headers=headers)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def told(api: httpx.AsyncClient, student: str, content: dict[str, Any]) -> dict[str, Any]:
    """What the update's job came to."""
    job = await ended(api, await tell(api, student, content), within=90)
    assert job["status"] == "done", job
    merged: dict[str, Any] = job["result"]
    return merged


async def profile(api: httpx.AsyncClient, student: str) -> dict[str, Any]:
    answer = await api.get(f"/v1/profiles/{student}")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def rows(database: Database, table: str, student: str, tenant: str = "demo") -> int:
    async with database.tenant(tenant) as connection:
        count: int = await connection.fetchval(f"select count(*) from {table} where student_id = $1", student)
        return count
