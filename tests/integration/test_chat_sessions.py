"""Sessions, agents and a tenant's own model, over the real API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import pytest_asyncio

from app.core.bootstrap import ensure_tenant
from app.kit.db import Connection, Database
from app.tenancy.keys import Pepper, issue_key
from tests.support.chat import ask, chat_worker, messages, say, turn
from tests.support.deployment import MASTER_KEY, Deployment
from tests.support.provider import ScriptedProvider, Step, serve_provider

SECRET = "sk-a-secret-that-nobody-may-read"


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with serve_provider() as running:
        yield running


@pytest.fixture
def student(tenant: str) -> str:
    return f"student-of-{tenant}"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nothing_waits(ledger: Connection) -> AsyncIterator[None]:
    """What a test leaves waiting, of whichever tenant, is not for the next one's worker."""
    yield
    await ledger.execute("update jobs set status = 'cancelled', finished_at = now() where status = 'queued'")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(database: Database) -> dict[str, str]:
    async with database.session("demo") as session:
        key = await issue_key(session, Pepper(MASTER_KEY), "demo", name="chat admin", scopes={"admin", "jobs:read"})
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def stranger(deployment: Deployment) -> dict[str, str]:
    return {"Authorization": f"Bearer {ensure_tenant(deployment.database_url, MASTER_KEY, 'other', {})['api_key']}"}


async def test_sessions_are_listed_by_use_and_page_by_page(api: httpx.AsyncClient, student: str) -> None:
    for session in ("one", "two", "three"):
        await say(api, "Hello.", student=student, session=session)
    await say(api, "Again.", student=student, session="one")
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        query = {"student_id": student, "limit": "2", **cursor}
        page = (await api.get("/v1/chat/sessions", params=query)).json()
        found += [each["session_id"] for each in page["data"]]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == ["one", "three", "two"]


async def test_a_session_is_found_by_its_id_and_by_a_name_that_is_not_ambiguous(
    api: httpx.AsyncClient, student: str
) -> None:
    name = f"shared-{student}"
    for person in (f"a-{student}", f"b-{student}"):
        await say(api, "Hello.", student=person, session=name)
    answer = await api.get(f"/v1/chat/sessions/{name}/messages")
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_session")
    one = await api.get(f"/v1/chat/sessions/{name}", params={"student_id": f"a-{student}"})
    assert one.json()["id"] == f"student:a-{student}:{name}"
    assert (await api.get(f"/v1/chat/sessions/{one.json()['id']}")).json() == one.json()
    assert (await api.get("/v1/chat/sessions/student:nobody:main")).status_code == 404


async def test_messages_are_read_in_both_directions(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    async with chat_worker(deployment, provider):
        for number in range(3):
            await ask(api, f"q{number}", student=student)
    address = f"/v1/chat/sessions/student:{student}:main/messages"
    for order in ("asc", "desc"):
        first = (await api.get(address, params={"order": order, "limit": 4})).json()
        rest = (await api.get(address, params={"order": order, "limit": 4, "cursor": first["next_cursor"]})).json()
        texts = [each["content"] for each in (*first["data"], *rest["data"])]
        in_order = texts if order == "asc" else texts[::-1]
        assert in_order == ["q0", "You said: q0", "q1", "You said: q1", "q2", "You said: q2"]


async def test_a_session_is_renamed(api: httpx.AsyncClient, student: str) -> None:
    job = await say(api, "Hello.", student=student)
    address = f"/v1/chat/sessions/{job['lane_id']}"
    assert (await api.put(address, json={"title": "分数 and more"})).json()["title"] == "分数 and more"
    assert (await api.get(address)).json()["title"] == "分数 and more"


async def test_deleting_a_session_takes_its_texts_from_everywhere(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    secret = f"the secret of {student}"
    async with chat_worker(deployment, provider):
        job = await ask(api, secret, student=student)
    waiting = await say(api, "And?", student=student)
    address = f"/v1/chat/sessions/{job['lane_id']}"
    assert (await api.delete(address)).json()["code"] == "session_busy"
    await api.post(waiting["links"]["cancel"])
    assert (await api.delete(address)).status_code == 204
    assert (await api.get(address)).status_code == 404
    kept = (await api.get(job["links"]["self"])).json()
    assert (kept["status"], kept["result"]) == ("done", None)
    connection = await asyncpg.connect(deployment.database_url)
    try:
        for table in ("jobs", "chat_messages", "chat_sessions", "job_attempts", "outbox", "lanes"):
            rows = await connection.fetchval(
                f"select count(*) from {table} t where t::text like '%' || $1 || '%'", secret
            )
            assert rows == 0, table
    finally:
        await connection.close()
    await say(api, "A new one.", student=student)  # the same name begins anew
    assert [each["turn"] for each in await messages(api, job["lane_id"])] == [1]


async def test_a_failed_turn_of_a_deleted_session_cannot_be_answered_any_more(
    api: httpx.AsyncClient, deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    provider.script(Step(status=400))
    async with chat_worker(deployment, provider):
        failed = await ask(api, "Well?", student=student)
        assert (await api.delete(f"/v1/chat/sessions/{failed['lane_id']}")).status_code == 204
        await api.post(failed["links"]["retry"])
        again = (await api.get(failed["links"]["self"], headers={"Prefer": "wait=10"})).json()
    assert (again["status"], again["error"]) == ("failed", "turn_deleted")


async def test_another_tenant_sees_nothing(api: httpx.AsyncClient, stranger: dict[str, str], student: str) -> None:
    job = await say(api, "Hello.", student=student)
    address = f"/v1/chat/sessions/{job['lane_id']}"
    for method, path in (("GET", address), ("GET", f"{address}/messages"), ("DELETE", address)):
        assert (await api.request(method, path, headers=stranger)).status_code == 404
    listed = await api.get("/v1/chat/sessions", headers=stranger)
    assert listed.json()["data"] == []
    # The same names are another conversation there.
    theirs = await api.post("/v1/chat", json=turn("Mine.", student=student), headers=stranger)
    assert (theirs.json()["lane_id"], theirs.json()["lane_queue_position"]) == (job["lane_id"], 0)
    assert [each["content"] for each in await messages(api, job["lane_id"])] == ["Hello."]


async def test_an_agent_decides_how_the_model_is_asked(
    api: httpx.AsyncClient, admin: dict[str, str], deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    wish = {"prompt": "Ask, never tell.", "model": "big-1", "temperature": 0.2, "max_output_tokens": 77}
    made = await api.put("/v1/agents/socrates", json=wish, headers=admin)
    assert (made.status_code, made.json()["prompt"]) == (201, "Ask, never tell.")
    assert (await api.put("/v1/agents/socrates", json=wish, headers=admin)).status_code == 200
    assert "socrates" in [each["name"] for each in (await api.get("/v1/agents")).json()["data"]]
    async with chat_worker(deployment, provider):
        job = await ask(api, "Well?", student=student, agent="socrates")
    assert job["result"]["agent"] == "socrates"
    body = provider.asked("Well?").body
    assert (body["model"], body["temperature"]) == ("big-1", 0.2)
    assert 77 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert "Ask, never tell." in body["messages"][0]["content"]

    assert (await api.delete("/v1/agents/socrates", headers=admin)).status_code == 204
    for door, asked in (
        ("/v1/chat", turn("Still?", student=student, agent="socrates")),
        ("/v1/jobs", {"kind": "chat.reply", "input": turn("Still?", student=student, agent="socrates")}),
    ):
        refused = await api.post(door, json=asked)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_agent")
    assert len(await messages(api, job["lane_id"])) == 2  # nothing of what was refused


async def test_a_tenants_own_model_answers_and_its_key_is_never_told(
    api: httpx.AsyncClient, admin: dict[str, str], deployment: Deployment, provider: ScriptedProvider, student: str
) -> None:
    wish = {"base_url": provider.url, "model": "own-1", "api_key": SECRET}
    refused = await api.put("/v1/llm", json=wish, headers=admin)  # inside the network: only where operators say so
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_model")
    from tests.support.deployment import serve_api  # noqa: PLC0415

    async with serve_api(deployment, LLM_TENANT_HOSTS="127.0.0.1") as trusting:
        assert (await trusting.put("/v1/llm", json=wish, headers=admin)).json()["has_key"] is True
        async with chat_worker(deployment):  # the deployment itself has no model
            job = await ask(trusting, "Well?", student=student)
        assert job["result"]["reply"] == "You said: Well?"
        call = provider.asked("Well?")
        assert (call.body["model"], call.headers["authorization"]) == ("own-1", f"Bearer {SECRET}")
        shown = await trusting.get("/v1/llm", headers=admin)
        assert SECRET not in shown.text
        elsewhere = {"base_url": "https://models.example.org/v1", "model": "m"}
        assert (await trusting.put("/v1/llm", json=elsewhere, headers=admin)).json()["has_key"] is False
        assert (await trusting.delete("/v1/llm", headers=admin)).status_code == 204
        assert (await trusting.get("/v1/llm", headers=admin)).status_code == 404
    connection = await asyncpg.connect(deployment.database_url)
    try:
        told = await connection.fetchval("select count(*) from audit_log t where t::text like '%' || $1 || '%'", SECRET)
    finally:
        await connection.close()
    assert told == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example.org/v1",
        "https://127.0.0.1/v1",
        "https://[::1]/v1",
        "https://127.1/v1",
        "https://localhost/v1",
        "https://metadata.internal/v1",
        "https://user:secret@models.example.org/v1",
        "ftp://models.example.org",
        "https://",
    ],
)
async def test_a_tenant_cannot_send_workers_into_the_network(
    api: httpx.AsyncClient, admin: dict[str, str], url: str
) -> None:
    answer = await api.put("/v1/llm", json={"base_url": url, "model": "m"}, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_model")
