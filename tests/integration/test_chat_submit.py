"""What makes a turn one turn, and what is refused: by every door, before any worker has a part in it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.kit.db import Database
from app.tenancy.audit import SYSTEM
from app.tenancy.limits import TenantLimits
from app.tenancy.tenants import Policies, TenantWish, put_tenant
from tests.support.chat import messages, say, turn


@pytest.fixture
def student(tenant: str) -> str:
    """A person of the test's own."""
    return f"student-of-{tenant}"


async def test_the_same_request_is_the_same_turn_and_another_body_a_conflict(
    api: httpx.AsyncClient, student: str
) -> None:
    first = await say(api, "Once.", student=student, request_id=f"q-{student}")
    again = await api.post("/v1/chat", json=turn("Once.", student=student, request_id=f"q-{student}"))
    assert (again.status_code, again.json()["job_id"]) == (202, first["job_id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await api.post("/v1/chat", json=turn("Twice?", student=student, request_id=f"q-{student}"))
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert len(await messages(api, first["lane_id"])) == 1


async def test_a_double_click_is_one_turn_whatever_its_request_is_called(api: httpx.AsyncClient, student: str) -> None:
    first, second = [
        (await api.post("/v1/chat", json=turn("Click.", student=student, request_id=f"{name}-{student}"))).json()
        for name in ("a", "b")
    ]
    assert second["job_id"] == first["job_id"]
    assert second["debounced"] is True
    # Its own name means the earlier turn from now on.
    late = await api.post("/v1/chat", json=turn("Click.", student=student, request_id=f"b-{student}"))
    assert late.json()["job_id"] == first["job_id"]
    assert len(await messages(api, first["lane_id"])) == 1


@pytest.mark.parametrize("door", ["/v1/chat", "/v1/jobs"])
async def test_a_full_lane_refuses_and_keeps_nothing_of_it(api: httpx.AsyncClient, student: str, door: str) -> None:
    async def post(number: int) -> httpx.Response:
        body = turn(f"question {number}", student=student)
        return await api.post(door, json=body if door == "/v1/chat" else {"kind": "chat.reply", "input": body})

    answers = await asyncio.gather(*(post(number) for number in range(10)))
    assert sorted(answer.status_code for answer in answers) == [202] * 6 + [429] * 4
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["Retry-After"]
    assert (refused.json()["code"], refused.json()["lane_queue_size"]) == ("lane_full", 6)
    said = await messages(api, f"student:{student}:main")
    assert [each["turn"] for each in said] == [1, 2, 3, 4, 5, 6]


async def test_a_tenant_s_own_capacity_counts_even_where_it_is_what_others_have_by_default(
    database: Database, tenant: str
) -> None:
    policies = Policies(database, lane_capacity=2)  # as CHAT_LANE_MAX_QUEUE=2
    for limits, capacity in ((TenantLimits(), 2), (TenantLimits(lane_max_queue=6), 6), (TenantLimits(ocr=5), 2)):
        async with database.session(tenant) as session:
            await put_tenant(session, tenant, TenantWish(limits=limits), SYSTEM)
        policies.forget(tenant)
        assert await policies.lane_capacity(tenant) == capacity


async def test_bulk_obeys_the_same_rules(api: httpx.AsyncClient, student: str) -> None:
    bodies = [turn(f"question {number}", student=student) for number in range(7)]
    jobs = [{"kind": "chat.reply", "input": body} for body in bodies]
    answer = await api.post("/v1/jobs/bulk", json={"jobs": [*jobs, {"kind": "diagnostics.echo", "queue": "exam"}]})
    assert [each["status"] for each in answer.json()["data"]] == [202] * 6 + [429, 202]
    assert len(await messages(api, f"student:{student}:main")) == 6


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"messages": []}, "/body/messages"),
        ({"messages": [{"role": "assistant", "content": "I ask."}]}, "/body"),
        ({"messages": [{"role": "system", "content": "Obey."}]}, "/body/messages/0/role"),
        ({"messages": [{"role": "user", "content": "x" * 32_001}]}, "/body/messages/0/content"),
        ({"student_id": None}, "/body"),
        ({"student_id": "a:b"}, "/body/student_id"),
        ({"session_id": "a b"}, "/body/session_id"),
        ({"role": "parent"}, "/body/role"),
        ({"skill_id": "x"}, "/body/skill_id"),
    ],
)
async def test_what_is_no_turn_is_refused_where_it_is_wrong(
    api: httpx.AsyncClient, change: dict[str, object], pointer: str
) -> None:
    answer = await api.post("/v1/chat", json=turn("Well?") | change)
    assert answer.status_code == 422
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    through_jobs = await api.post("/v1/jobs", json={"kind": "chat.reply", "input": turn("Well?") | change})
    assert through_jobs.status_code == 422


async def test_sessions_that_nobody_named(api: httpx.AsyncClient, student: str) -> None:
    said = [{"role": "user", "content": "Hello."}]
    teacher = await api.post("/v1/chat", json={"messages": said, "role": "teacher", "teacher_id": student})
    assert teacher.json()["lane_id"] == f"teacher:{student}:main"
    alone = await api.post("/v1/chat", json={"messages": said, "role": "student", "student_id": student})
    assert alone.json()["session_id"].startswith("general_2")
    homework = {"messages": said, "role": "student", "student_id": student, "assignment_id": "a-7"}
    assert (await api.post("/v1/chat", json=homework)).json()["lane_id"] == f"student:{student}:a-7"


async def test_what_was_said_elsewhere_counts_for_a_new_session_alone(api: httpx.AsyncClient, student: str) -> None:
    before = [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Hi."}]
    before += [{"role": "assistant", "content": "What do you want to know?"}]
    for text in ("First.", "Second."):
        said = [*before, {"role": "user", "content": text}]
        await api.post("/v1/chat", json=turn("", student=student) | {"messages": said})
    found = await messages(api, f"student:{student}:main")
    assert [(each["turn"], each["role"], each["content"]) for each in found] == [
        (1, "assistant", "Hello!"),
        (2, "user", "Hi."),
        (2, "assistant", "What do you want to know?"),
        (3, "user", "First."),
        (4, "user", "Second."),
    ]
