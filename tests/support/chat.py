"""Talking with a deployment over its public API, as a client would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import httpx

from app.engine.runtime import Runtime
from tests.support.deployment import Deployment, serve_worker
from tests.support.provider import MODEL, ScriptedProvider


class Heard(NamedTuple):
    """One server-sent event."""

    id: str | None
    event: str
    data: dict[str, Any]


def chat_worker(
    deployment: Deployment, provider: ScriptedProvider | None = None, **environment: str
) -> AbstractAsyncContextManager[Runtime]:
    """A chat worker in this process, asking the scripted provider; without one, the local provider."""
    return serve_worker(deployment, "chat", **model_environment(provider), **environment)


def model_environment(provider: ScriptedProvider | None) -> dict[str, str]:
    return {} if provider is None else {"LLM_BASE_URL": provider.url, "LLM_MODEL": MODEL}


def turn(text: str, *, student: str = "s1", session: str = "main", **more: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": text}]
    return {"messages": said, "role": "student", "student_id": student, "session_id": session, **more}


async def say(api: httpx.AsyncClient, text: str, **more: Any) -> dict[str, Any]:
    """An accepted turn's job."""
    answer = await api.post("/v1/chat", json=turn(text, **more))
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def ended(api: httpx.AsyncClient, job: dict[str, Any], *, within: float = 30.0) -> dict[str, Any]:
    """The job when it is terminal."""
    async with asyncio.timeout(within):
        while job["status"] in ("queued", "processing"):
            job = (await api.get(job["links"]["self"], headers={"Prefer": "wait=10"})).json()
    return job


async def ask(api: httpx.AsyncClient, text: str, **more: Any) -> dict[str, Any]:
    """A turn's job when it has ended."""
    return await ended(api, await say(api, text, **more))


async def messages(api: httpx.AsyncClient, session: str) -> list[dict[str, Any]]:
    """All that was said in a session, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await api.get(f"/v1/chat/sessions/{session}/messages", params={"limit": "100", **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def listen(
    api: httpx.AsyncClient, job: dict[str, Any], *, last_event_id: str | None = None
) -> AsyncIterator[Heard]:
    """The job's events as they come, until the stream ends."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
    async with api.stream("GET", job["links"]["events"], headers=headers) as response:
        assert response.status_code == 200
        fields: dict[str, str] = {}
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif fields.get("event"):
                yield Heard(fields.get("id"), fields["event"], json.loads(fields["data"]))
                fields = {}


def text_of(events: list[Heard]) -> str:
    return "".join(each.data["text"] for each in events if each.event == "delta")
