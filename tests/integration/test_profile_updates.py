"""Updates of a student become one profile: merged, none lost, each source counted once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.deployment import Deployment, serve_worker


def result(question: str, score: float | None, of: float = 5, *points: str) -> dict[str, Any]:
    return {"question_id": question, "knowledge_points": list(points), "score": score, "max_score": of}


def exam(name: str, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"source": {"kind": "exam", "id": name, "title": f"Exam {name}"}, "results": list(results), **more}


async def test_an_update_becomes_a_profile(api: httpx.AsyncClient, deployment: Deployment) -> None:
    body = {"kind": "profile.update", "input": {"student_id": "s1"} | exam("e1", result("Q1", 2, 5, "fractions"))}
    async with serve_worker(deployment, "profile"):
        job = (await api.post("/v1/jobs", json=body, headers={"Prefer": "wait=20"})).json()
    assert job["status"] == "done", job
    assert job["result"] == {
        "student_id": "s1",
        "version": 1,
        "merged": 1,
        "weak": ["fractions"],
        "next_focus": ["fractions"],
    }
