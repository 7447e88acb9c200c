"""Profiles over the real API: read, listed, followed through time, forgotten; and who may."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.kit.db import Database
from app.tenancy.keys import Pepper, issue_key
from tests.support.deployment import MASTER_KEY, Deployment, serve_api, serve_worker
from tests.support.persons import JWT_ISSUERS, bearer
from tests.support.profiles import WAIT, exam, profile, result, rows, tell, told

TABLES = (
    "profiles",
    "profile_updates",
    "profile_sources",
    "profile_results",
    "profile_history",
    "library_readers",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    """With the tenant's key; it also believes a school's login. A worker merges."""
    async with serve_api(deployment, JWT_ISSUERS=JWT_ISSUERS) as client, serve_worker(deployment, "profile"):
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(database: Database) -> dict[str, str]:
    async with database.session("demo") as session:
        key = await issue_key(session, Pepper(MASTER_KEY), "demo", name="admin", scopes={"admin"})
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def student(tenant: str) -> str:
    return f"学生-{tenant}"


async def pages(api: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await api.get(path, params={"limit": 2, **query, **cursor})
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        if not answer.json()["has_more"]:
            return found
        cursor = {"cursor": answer.json()["next_cursor"]}


async def test_a_profile_as_it_is_read(api: httpx.AsyncClient, student: str) -> None:
    midterm = exam(
        "midterm",
        result("Q1", 2, 5, "fractions"),
        result("Q2", 5, 5, "angles"),
        result("Q3", None, 5, "angles"),
        name="Ada",
        class_name="7A",
        occurred_at="2026-02-19T08:00:00Z",
        notes=["Was ill"],
    )
    await told(api, student, midterm)
    homework = {"source": {"kind": "assignment", "id": "h1"}, "assigned": ["Fractions", "poetry"], "results": []}
    await told(api, student, homework)
    found = await profile(api, student)
    assert (found["student_id"], found["name"], found["class_name"], found["version"]) == (student, "Ada", "7A", 2)
    assert found["overall"] == {"mastery": 0.7, "results": 2, "points": 10.0, "trend": None}
    assert [(each["name"], each["standing"], each["assigned"]) for each in found["knowledge_points"]] == [
        ("Fractions", "weak", True),
        ("angles", "strong", False),
        ("poetry", "unclear", True),
    ]
    assert (found["weak"], found["next_focus"]) == (["Fractions"], ["Fractions", "poetry"])
    assert [(each["question_id"], each["score"]) for each in found["to_review"]] == [("Q1", 2.0)]
    assert [each["kind"] for each in found["sources"]] == ["assignment", "exam"]
    assert found["notes"][0]["text"] == "Was ill"


async def test_an_unchanged_profile_is_not_sent_again(api: httpx.AsyncClient, student: str) -> None:
    await told(api, student, exam("e", result("Q1", 2)))
    first = await api.get(f"/v1/profiles/{student}")
    seen = {"If-None-Match": first.headers["ETag"]}
    again = await api.get(f"/v1/profiles/{student}", headers=seen)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    await told(api, student, exam("f", result("Q1", 2)))
    assert (await api.get(f"/v1/profiles/{student}", headers=seen)).status_code == 200


async def test_an_update_can_be_waited_for_and_is_also_a_job_of_its_kind(api: httpx.AsyncClient, student: str) -> None:
    content = exam("e", result("Q1", 2, 5, "p"))
    waited = await api.post(f"/v1/profiles/{student}/updates", json=content, headers=WAIT)
    assert (waited.status_code, waited.json()["result"]["weak"]) == (200, ["p"])
    body = {"kind": "profile.update", "input": {"student_id": student, **exam("f", result("Q1", 5, 5, "p"))}}
    job = (await api.post("/v1/jobs", json=body, headers=WAIT)).json()
    assert (job["lane_id"], job["result"]["version"]) == (f"student:{student}", 2)


async def test_profiles_are_listed_by_student_and_filtered(api: httpx.AsyncClient, tenant: str) -> None:
    for name in ("d", "b", "a", "乙", "c"):
        content = exam("e", result("Q1", 1 if name in "ac" else 5, 5, "Decimals"), class_name=f"7A-{tenant}")
        await told(api, f"{tenant}-{name}", content)
    await told(api, f"{tenant}-z", exam("e", result("Q1", 1, 5, "decimals"), class_name=f"7B-{tenant}"))
    listed = await pages(api, "/v1/profiles", class_name=f"7A-{tenant}")
    assert [each["student_id"] for each in listed] == [f"{tenant}-{name}" for name in ("a", "b", "c", "d", "乙")]
    weak = await pages(api, "/v1/profiles", class_name=f"7A-{tenant}", weak="DECIMALS")
    assert [(each["student_id"], each["weak"]) for each in weak] == [
        (f"{tenant}-{name}", ["Decimals"]) for name in ("a", "c")
    ]
    assert (await api.get("/v1/profiles", params={"cursor": "nonsense"})).json()["code"] == "invalid_cursor"


async def test_history_tells_what_each_version_took_in_and_changed(api: httpx.AsyncClient, student: str) -> None:
    for number, score in enumerate((1, 5, 5)):
        await told(api, student, exam(f"e{number}", result("Q1", score, 5, "p")))
    versions = await pages(api, f"/v1/profiles/{student}/history")
    assert [each["version"] for each in versions] == [3, 2, 1]
    assert [each["sources"][0]["id"] for each in versions] == ["e2", "e1", "e0"]
    assert versions[2]["changes"] == [{"name": "p", "standing": [None, "weak"], "mastery": [None, 0.2], "by": 0.2}]
    assert versions[1]["changes"][0]["standing"] == ["weak", "medium"]


async def test_history_is_bounded(
    api: httpx.AsyncClient, database: Database, student: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.workloads.profile.store.HISTORY_KEPT", 2)
    for number in range(4):
        await told(api, student, exam(f"e{number}", result("Q1", 5, 5, "p")))
    assert [each["version"] for each in await pages(api, f"/v1/profiles/{student}/history")] == [4, 3]
    assert await rows(database, "profile_sources", student) == 4


async def test_who_is_forgotten_is_gone_everywhere(
    api: httpx.AsyncClient, database: Database, admin: dict[str, str], student: str
) -> None:
    secret = f"the secret of {student}"
    content = exam("e", result("Q1", 2, 5, secret), name=secret, class_name="7A", notes=[secret])
    job = await api.post(f"/v1/profiles/{student}/updates", json=content, headers=WAIT)
    assert (await api.delete(f"/v1/profiles/{student}")).json()["code"] == "missing_scope"
    assert (await api.delete(f"/v1/profiles/{student}", headers=admin)).status_code == 204
    assert [await rows(database, table, student) for table in TABLES] == [0] * len(TABLES)
    answers = [await api.get(f"/v1/profiles/{student}{more}") for more in ("", "/history")]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(404, "profile_not_found")}
    kept = (await api.get(job.json()["links"]["self"])).json()
    assert (kept["status"], kept["result"]) == ("done", None)
    async with database.tenant("demo") as connection:
        inputs = await connection.fetchval("select input::text from jobs where job_id = $1::uuid", kept["job_id"])
        entry = await connection.fetchrow("select action, target from audit_log order by seq desc limit 1")
    assert secret not in inputs
    assert (entry["action"], entry["target"]) == ("profile.forget", student)
    assert (await told(api, student, exam("f", result("Q1", 5))))["version"] == 1  # and may begin anew


async def test_while_updates_wait_nobody_is_forgotten(
    api: httpx.AsyncClient, admin: dict[str, str], deployment: Deployment, student: str
) -> None:
    await told(api, student, exam("e", result("Q1", 2)))
    by_operator = {"X-Admin-Key": deployment.environment()["ADMIN_KEY"]}
    await api.post("/admin/queues/profile/pause", headers=by_operator)
    try:
        job = await tell(api, student, exam("f", result("Q1", 2)))
        busy = await api.delete(f"/v1/profiles/{student}", headers=admin)
        assert (busy.status_code, busy.json()["code"]) == (409, "profile_busy")
        await api.post(job["links"]["cancel"])
        assert (await api.delete(f"/v1/profiles/{student}", headers=admin)).status_code == 204
    finally:
        await api.post("/admin/queues/profile/resume", headers=by_operator)


async def test_a_student_s_token_reads_that_student_s_profile_and_changes_nothing(
    api: httpx.AsyncClient, tenant: str
) -> None:
    mine, other = f"{tenant}-mine", f"{tenant}-other"
    for each in (mine, other):
        await told(api, each, exam("e", result("Q1", 2, 5, "p")))
    me = bearer("student", mine, scope="jobs:read jobs:write admin")
    assert (await api.get(f"/v1/profiles/{mine}", headers=me)).json()["weak"] == ["p"]
    assert (await api.get(f"/v1/profiles/{mine}/history", headers=me)).status_code == 200
    assert [each["student_id"] for each in (await api.get("/v1/profiles", headers=me)).json()["data"]] == [mine]
    refused = [
        await api.get(f"/v1/profiles/{other}", headers=me),
        await api.get(f"/v1/profiles/{other}/history", headers=me),
        await api.get(f"/v1/profiles/{tenant}-nobody", headers=me),
        await api.post(f"/v1/profiles/{mine}/updates", json=exam("f", result("Q1", 5, 5, "p")), headers=me),
        await api.delete(f"/v1/profiles/{mine}", headers=me),
    ]
    assert {(each.status_code, each.json()["code"]) for each in refused} == {(403, "not_yours")}
    teacher = bearer("teacher", "t1")
    assert (await api.get(f"/v1/profiles/{other}", headers=teacher)).status_code == 200
    content = {"source": {"kind": "teacher"}, "notes": ["Asks good questions"]}
    assert (await api.post(f"/v1/profiles/{other}/updates", json=content, headers=teacher)).status_code == 202


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("a:b", {"source": {"kind": "teacher"}}, "/path/student_id"),
        ("s", {"source": {"kind": "gossip"}}, "/body/source/kind"),
        ("s", {"source": {"kind": "teacher"}, "student_id": "s"}, "/body/student_id"),
        ("s", exam("e", result("Q1", 1), result("Q1", 2)), "/body"),
    ],
)
async def test_what_is_no_update_is_refused(
    api: httpx.AsyncClient, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await api.post(
        f"/v1/profiles/{path}/updates", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
