"""What a school does at the console with its own key: upload, review, confirm, talk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.console.conftest import Console, barriers
from tests.corpus.documents import writers
from tests.corpus.documents.papers import ALL, STYLES, Paper, make_paper
from tests.support.deployment import Deployment, serve_worker
from tests.support.waiting import eventually

MARKS = "Student ID,Name,Q1,Q2\ns1,Ann,2,3\ns2,Ben,1,0\n"
SIGN_IN = "API key of a tenant"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def workers(deployment: Deployment) -> AsyncIterator[None]:
    async with (
        serve_worker(deployment, "exam", LEASE_SECONDS="60", HEARTBEAT_SECONDS="1"),
        serve_worker(deployment, "chat", LEASE_SECONDS="60", HEARTBEAT_SECONDS="1"),
    ):
        yield


@pytest.fixture(scope="module")
def paper() -> Paper:
    return make_paper("plain", STYLES["plain"], 100, ALL)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def uploaded(api: httpx.AsyncClient, paper: Paper) -> str:
    """An upload that has been read."""
    files = [("paper_files", ("paper.txt", writers.text(paper))), ("score_files", ("marks.csv", MARKS.encode()))]
    answer = await api.post("/v1/exams/uploads", files=files)
    assert answer.status_code == 202, answer.text
    job = answer.json()

    async def read() -> bool:
        return bool((await api.get(job["links"]["self"])).json()["status"] == "done")

    await eventually(read, within=60)
    return str(job["job_id"])


async def draft(api: httpx.AsyncClient, upload_id: str) -> Any:
    return (await api.get(f"/v1/exams/uploads/{upload_id}/draft")).json()


async def test_an_exam_is_uploaded_reviewed_and_confirmed(
    console: Console, api: httpx.AsyncClient, paper: Paper, screenshots: Path
) -> None:
    async with console.page("#/uploads/exams", keys={}, noted="422") as page:
        await page.get_by_label(SIGN_IN).fill(console.deployment.keys["api_key"])
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_label("Papers").set_input_files(
            {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": writers.pdf(paper)}
        )
        await page.get_by_label("Marks").set_input_files(
            {"name": "marks.csv", "mimeType": "text/csv", "buffer": MARKS.encode()}
        )
        await page.get_by_role("textbox", name="Id", exact=True).fill("midterm-7b")
        await page.get_by_role("button", name="Upload").click()
        await expect(page.get_by_role("heading", name="midterm-7b")).to_be_visible()

        first = page.get_by_role("article", name="Q1", exact=True)
        await expect(first.get_by_label("What Q1 asks")).to_have_value("The chemical symbol for sodium is")
        await expect(page.locator(".frame iframe")).to_have_attribute(
            "title", "paper.pdf"
        )  # the page beside the questions
        assert await barriers(page) == []
        await page.screenshot(path=screenshots / "draft-light.png")

        await page.get_by_role("button", name="Confirm…").click()
        await page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
        against = page.get_by_role("alert").filter(has_text="stand against confirming")
        await expect(against).to_contain_text("the date of the exam")
        await against.get_by_role("button", name="the class that sat it").click()
        class_name = page.get_by_label("Class", exact=True)
        await expect(class_name).to_be_focused()
        await expect(class_name).to_have_attribute("aria-invalid", "true")
        await page.keyboard.type("7b")
        await page.get_by_label("Date", exact=True).fill("2026-05-04")
        await first.get_by_label("Answer").fill("C")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("button", name="Saved")).to_be_visible()

        await page.get_by_role("button", name="Confirm…").click()
        await page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
        await expect(page.locator(".head .status")).to_have_text("Confirmed")
        await expect(page.get_by_role("button", name="Confirm…")).to_be_hidden()
        await expect(class_name).to_be_disabled()
    exam = (await api.get("/v1/exams/midterm-7b")).json()
    assert (exam["class_name"], exam["date"]) == ("7b", "2026-05-04")
    assert exam["questions"][0]["answer"] == "C"


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    console: Console, api: httpx.AsyncClient, uploaded: str
) -> None:
    etag = (await api.get(f"/v1/exams/uploads/{uploaded}/draft")).headers["ETag"]
    async with console.page(f"#/uploads/exams/{uploaded}", keys=console.as_school, noted="412") as page:
        await page.get_by_label("Class", exact=True).fill("mine")
        theirs = await api.put(
            f"/v1/exams/uploads/{uploaded}/draft", json={"exam": {"class_name": "theirs"}}, headers={"If-Match": etag}
        )
        assert theirs.status_code == 200
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("dialog")).to_contain_text("Your changes to exam are not saved")
        await page.get_by_role("dialog").get_by_role("button", name="Load theirs").click()
        await expect(page.get_by_label("Class", exact=True)).to_have_value("theirs")
    assert (await draft(api, uploaded))["exam"]["class_name"] == "theirs"


async def test_a_mark_and_a_question_are_corrected(console: Console, api: httpx.AsyncClient, uploaded: str) -> None:
    async with console.page(f"#/uploads/exams/{uploaded}", keys=console.as_school) as page:
        await page.get_by_label("Q2 of Ben").fill("2.5")
        questions = len((await draft(api, uploaded))["questions"])
        await page.get_by_role("button", name="Remove Q3", exact=True).click()
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("button", name="Saved")).to_be_visible()
    saved = await draft(api, uploaded)
    assert saved["students"][1]["scores"]["Q2"] == 2.5
    assert len(saved["questions"]) == questions - 1
    assert "Q3" not in [each["question_id"] for each in saved["questions"]]


async def test_a_conversation_streams_and_is_there_again(
    console: Console, api: httpx.AsyncClient, screenshots: Path
) -> None:
    async with console.page("#/chat?role=student&person=s9&session=main", keys=console.as_school) as page:
        said = page.get_by_label("Messages").locator("li")
        await page.get_by_label("Your message").fill("What does the numerator of a fraction say?")
        await page.keyboard.press("Enter")
        await expect(said).to_have_count(2)
        await expect(said.nth(1)).not_to_have_attribute("data-writing", "")
        told = await said.nth(1).locator("p").inner_text()
        assert told
        await expect(page.get_by_role("link", name="s9 · main")).to_be_visible()
        assert await barriers(page) == []
        await page.screenshot(path=screenshots / "chat-talking.png")
        await page.reload()
        await expect(said).to_have_count(2)
        assert await said.nth(1).locator("p").inner_text() == told
    found = (await api.get("/v1/chat/sessions/student:s9:main/messages")).json()["data"]
    assert {each["content"] for each in found if each["role"] == "assistant"} == {told}


async def test_a_turn_in_line_is_told_its_place_and_can_be_stopped(
    console: Console, api: httpx.AsyncClient, deployment: Deployment
) -> None:
    operator = deployment.headers("operator_key")
    await api.post("/admin/queues/chat/pause", headers=operator)
    turn = {"role": "student", "student_id": "s8", "session_id": "main"}
    for number in range(2):
        asked = turn | {"messages": [{"role": "user", "content": f"Question {number}"}]}
        assert (await api.post("/v1/chat", json=asked)).status_code == 202
    try:
        async with console.page("#/chat?role=student&person=s8&session=main", keys=console.as_school) as page:
            await page.get_by_label("Your message").fill("And mine?")
            await page.get_by_role("button", name="Send").click()
            await expect(page.locator(".place")).to_have_text("In line: 2 turns of this session before it.")
            await page.get_by_role("button", name="Stop").click()
            await expect(page.get_by_label("Messages").locator("li").last).to_contain_text("Stopped.")
            await expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    finally:
        await api.post("/admin/queues/chat/resume", headers=operator)
