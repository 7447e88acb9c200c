"""An exam's knowledge points by a model: it fills what is open, and its failure harms nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from app.kit import json
from tests.support.chat import model_environment
from tests.support.deployment import Deployment, serve_worker
from tests.support.exams import codes, paper, parsed
from tests.support.provider import ScriptedProvider, Step, serve_provider

PAPER = """\
1. Why does ice float? (4 points)
2. Which is a metal? (2 points)
Knowledge points: metals
3. Say what you see.
"""
ADVICE = {
    "questions": [
        {"question_id": "Q1", "knowledge_points": ["density"], "answer": "It is lighter", "score": 4},
        {"question_id": "Q2", "knowledge_points": ["chemistry"], "score": 3},
        {"question_id": "Q3", "knowledge_points": ["observation"], "score": 99},
    ]
}


@pytest_asyncio.fixture(loop_scope="session")
async def model(deployment: Deployment) -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as provider, serve_worker(deployment, "exam", **model_environment(provider)):
        yield provider


async def test_a_model_fills_what_is_open_and_invents_no_answer_and_no_marks(
    api: httpx.AsyncClient, model: ScriptedProvider
) -> None:
    model.script(Step(text=json.text(ADVICE)))
    _, draft = await parsed(api, paper(PAPER))
    questions = {each["question_id"]: each for each in draft["questions"]}
    assert (questions["Q1"]["knowledge_points"], questions["Q1"]["knowledge_points_from"]) == (["density"], "model")
    assert (questions["Q2"]["knowledge_points"], questions["Q2"]["knowledge_points_from"]) == (["metals"], "document")
    assert (questions["Q1"]["answer"], questions["Q3"]["max_score"]) == (None, None)
    assert questions["Q2"]["max_score"] == 2  # the model reads 3: a person is asked to look
    assert questions["Q2"]["confidence"] <= 0.6
    assert "model_disagrees" in codes(draft)


async def test_a_model_that_fails_leaves_what_the_paper_says(api: httpx.AsyncClient, model: ScriptedProvider) -> None:
    model.default = Step(status=401, error={"message": "wrong key"})
    _, draft = await parsed(api, paper(PAPER))
    assert [each["knowledge_points"] for each in draft["questions"]][1] == ["metals"]
    assert "model_unavailable" in codes(draft)
