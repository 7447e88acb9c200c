"""Who may call what: every route against every kind of caller. A route without a row fails."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.core.bootstrap import ensure_tenant
from app.kit.db import Database
from app.tenancy.keys import SCOPES, Pepper, issue_key
from app.tenancy.tenants import create_tenant
from app.workloads.chat.models import ChatAgent
from tests.support.deployment import ADMIN_KEY, MASTER_KEY, Deployment
from tests.support.routes import Route, all_routes, unserved_app

# One row for each route. The columns: no credentials, a garbage key, an expired one, a revoked one, a key without
# scopes, keys with the one scope that the column names, and the X-Admin-Key. Job ids are of a cancelled job.
#
# A row under /v1 stands for its twin under /t/{tenant_id}/v1 too, where a stranger's key gets 404 in addition.
TABLE = """
                                                    none garbage expired revoked bare read write admin operator x-admin
POST   /v1/jobs                                     401  401     401     401     403  403  202   403   403      401
GET    /v1/jobs                                     401  401     401     401     403  200  403   403   403      401
POST   /v1/jobs/bulk                                401  401     401     401     403  403  202   403   403      401
GET    /v1/jobs/{job_id}                            401  401     401     401     403  200  403   403   403      401
GET    /v1/jobs/{job_id}/attempts                   401  401     401     401     403  200  403   403   403      401
GET    /v1/jobs/{job_id}/events                     401  401     401     401     403  200  403   403   403      401
POST   /v1/jobs/{job_id}/cancel                     401  401     401     401     403  403  409   403   403      401
POST   /v1/jobs/{job_id}/retry                      401  401     401     401     403  403  409   403   403      401
GET    /v1/kinds                                    401  401     401     401     200  200  200   200   200      401
POST   /v1/keys                                     401  401     401     401     403  403  403   201   403      401
GET    /v1/keys                                     401  401     401     401     403  403  403   200   403      401
DELETE /v1/keys/{key_id}                            401  401     401     401     403  403  403   404   403      401
POST   /v1/chat                                     401  401     401     401     403  403  202   403   403      401
GET    /v1/chat/sessions                            401  401     401     401     403  200  403   403   403      401
GET    /v1/chat/sessions/{session}                  401  401     401     401     403  404  403   403   403      401
GET    /v1/chat/sessions/{session}/messages         401  401     401     401     403  404  403   403   403      401
PUT    /v1/chat/sessions/{session}                  401  401     401     401     403  403  404   403   403      401
DELETE /v1/chat/sessions/{session}                  401  401     401     401     403  403  404   403   403      401
GET    /v1/agents                                   401  401     401     401     403  200  403   403   403      401
GET    /v1/agents/{agent}                           401  401     401     401     403  404  403   403   403      401
PUT    /v1/agents/{agent}                           401  401     401     401     403  403  403   200   403      401
DELETE /v1/agents/{agent}                           401  401     401     401     403  403  403   404   403      401
POST   /v1/profiles/{student_id}/updates            401  401     401     401     403  403  202   403   403      401
GET    /v1/profiles                                 401  401     401     401     403  200  403   403   403      401
GET    /v1/profiles/{student_id}                    401  401     401     401     403  404  403   403   403      401
GET    /v1/profiles/{student_id}/history            401  401     401     401     403  404  403   403   403      401
DELETE /v1/profiles/{student_id}                    401  401     401     401     403  403  403   404   403      401
POST   /v1/exams/uploads                            401  401     401     401     403  403  415   403   403      401
GET    /v1/exams/uploads                            401  401     401     401     403  200  403   403   403      401
GET    /v1/exams/uploads/{job_id}                   401  401     401     401     403  404  403   403   403      401
GET    /v1/exams/uploads/{job_id}/draft             401  401     401     401     403  404  403   403   403      401
PUT    /v1/exams/uploads/{job_id}/draft             401  401     401     401     403  403  428   403   403      401
POST   /v1/exams/uploads/{job_id}/confirm           401  401     401     401     403  403  404   403   403      401
POST   /v1/exams/uploads/{job_id}/reparse           401  401     401     401     403  403  404   403   403      401
GET    /v1/exams/uploads/{job_id}/files/{n}         401  401     401     401     403  404  403   403   403      401
GET    /v1/exams                                    401  401     401     401     403  200  403   403   403      401
GET    /v1/exams/{exam_id}                          401  401     401     401     403  404  403   403   403      401
GET    /v1/exams/{exam_id}/report                   401  401     401     401     403  404  403   403   403      401
POST   /v1/assignments/uploads                      401  401     401     401     403  403  415   403   403      401
GET    /v1/assignments/uploads                      401  401     401     401     403  200  403   403   403      401
GET    /v1/assignments/uploads/{job_id}             401  401     401     401     403  404  403   403   403      401
GET    /v1/assignments/uploads/{job_id}/draft       401  401     401     401     403  404  403   403   403      401
PUT    /v1/assignments/uploads/{job_id}/draft       401  401     401     401     403  403  428   403   403      401
POST   /v1/assignments/uploads/{job_id}/confirm     401  401     401     401     403  403  404   403   403      401
POST   /v1/assignments/uploads/{job_id}/reparse     401  401     401     401     403  403  404   403   403      401
GET    /v1/assignments/uploads/{job_id}/files/{n}   401  401     401     401     403  404  403   403   403      401
GET    /v1/assignments                              401  401     401     401     403  200  403   403   403      401
GET    /v1/assignments/{assignment_id}              401  401     401     401     403  404  403   403   403      401
GET    /v1/llm                                      401  401     401     401     403  403  403   404   403      401
PUT    /v1/llm                                      401  401     401     401     403  403  403   422   403      401
DELETE /v1/llm                                      401  401     401     401     403  403  403   404   403      401
GET    /admin/queues                                401  401     401     401     403  403  403   403   200      200
POST   /admin/queues/{name}/pause                   401  401     401     401     403  403  403   403   200      200
POST   /admin/queues/{name}/resume                  401  401     401     401     403  403  403   403   200      200
POST   /admin/queues/{name}/drain                   401  401     401     401     403  403  403   403   200      200
GET    /admin/samples                               401  401     401     401     403  403  403   403   200      200
GET    /admin/shares                                401  401     401     401     403  403  403   403   200      200
GET    /admin/jobs                                  401  401     401     401     403  403  403   403   200      200
GET    /admin/jobs/{job_id}                         401  401     401     401     403  403  403   403   200      200
POST   /admin/jobs/{job_id}/cancel                  401  401     401     401     403  403  403   403   409      409
POST   /admin/jobs/{job_id}/retry                   401  401     401     401     403  403  403   403   409      409
GET    /admin/jobs/{job_id}/events                  401  401     401     401     403  403  403   403   200      200
POST   /admin/jobs/replay                           401  401     401     401     403  403  403   403   200      200
GET    /admin/lanes                                 401  401     401     401     403  403  403   403   200      200
GET    /admin/workers                               401  401     401     401     403  403  403   403   200      200
GET    /admin/tenants                               401  401     401     401     403  403  403   403   200      200
GET    /admin/tenants/{tenant}                      401  401     401     401     403  403  403   403   404      404
PUT    /admin/tenants/{tenant}                      401  401     401     401     403  403  403   403   200      200
DELETE /admin/tenants/{tenant}                      401  401     401     401     403  403  403   403   404      404
GET    /admin/tenants/{tenant}/export               401  401     401     401     403  403  403   403   404      404
POST   /admin/tenants/{tenant}/erase                401  401     401     401     403  403  403   403   404      404
POST   /admin/tenants/{tenant}/keys                 401  401     401     401     403  403  403   403   404      404
GET    /admin/tenants/{tenant}/keys                 401  401     401     401     403  403  403   403   404      404
DELETE /admin/tenants/{tenant}/keys/{key_id}        401  401     401     401     403  403  403   403   404      404
POST   /admin/tenants/{tenant}/keys/{key_id}/rotate 401  401     401     401     403  403  403   403   404      404
GET    /admin/audit                                 401  401     401     401     403  403  403   403   200      200
GET    /admin/audit/verify                          401  401     401     401     403  403  403   403   200      200
GET    /healthz                                     200  200     200     200     200  200  200   200   200      200
GET    /readyz                                      200  200     200     200     200  200  200   200   200      200
GET    /metrics                                     200  200     200     200     200  200  200   200   200      200
GET    /problems                                    200  200     200     200     200  200  200   200   200      200
GET    /problems/{code}                             200  200     200     200     200  200  200   200   200      200
GET    /docs                                        200  200     200     200     200  200  200   200   200      200
GET    /redoc                                       200  200     200     200     200  200  200   200   200      200
GET    /openapi.json                                200  200     200     200     200  200  200   200   200      200
MOUNT  /docs/assets                                 200  200     200     200     200  200  200   200   200      200
MOUNT  /console                                     200  200     200     200     200  200  200   200   200      200
"""
# What to send where the answer would otherwise be about the form; and what stands for the parts of paths.
JOB = {"kind": "diagnostics.echo", "queue": "exam"}
KEY = {"name": "matrix", "scopes": ["jobs:read"]}
BODIES: dict[str, Any] = {
    "POST /v1/jobs": JOB,
    "POST /v1/jobs/bulk": {"jobs": [JOB]},
    "POST /v1/keys": KEY,
    "POST /v1/chat": {
        "messages": [{"role": "user", "content": "Well?"}],
        "role": "student",
        "student_id": "matrix",
        "request_id": "matrix",  # asked often: more turns than a lane holds
    },
    "PUT /v1/chat/sessions/{session}": {"title": "matrix"},
    "PUT /v1/agents/{agent}": {"prompt": "Ask, never tell."},
    "POST /v1/profiles/{student_id}/updates": {"source": {"kind": "teacher"}, "notes": ["Well?"]},
    "PUT /v1/exams/uploads/{job_id}/draft": {},
    "POST /v1/exams/uploads/{job_id}/reparse": {},
    "PUT /v1/assignments/uploads/{job_id}/draft": {},
    "POST /v1/assignments/uploads/{job_id}/reparse": {},
    "PUT /v1/llm": {"base_url": "http://localhost/v1", "model": "m"},  # no place for a tenant's model: nothing is set
    "PUT /admin/tenants/{tenant}": {},
    "POST /admin/jobs/replay": {"dry_run": True},
    "POST /admin/tenants/{tenant}/keys": KEY,
    "POST /admin/tenants/{tenant}/keys/{key_id}/rotate": {},
    "POST /admin/tenants/{tenant}/erase": {"confirm": "never-was"},
}
# There is no such tenant and no such key: who may ask for them learns that by 404.
PARTS = {
    "session": "never:was:here",
    "agent": "never-was",
    "student_id": "never-was",
    "exam_id": "never-was",
    "assignment_id": "never-was",
    "n": "1",
    "name": "base",
    "code": "not_found",
    "tenant": "never-was",
    "key_id": "0" * 12,
}
FILE_OF_MOUNT = {"/docs/assets": "favicon.png", "/console": "app.css"}
PARTS_OF_ROW = {"PUT /admin/tenants/{tenant}": {"tenant": "matrix"}, "PUT /v1/agents/{agent}": {"agent": "matrix"}}

TWIN = "/t/{tenant_id}"
MISSING = "add a row for it to TABLE in tests/contract/test_route_matrix.py, and its body to BODIES if it takes one"


@dataclass(frozen=True)
class Row:
    route: Route
    expected: dict[str, int]

    @property
    def name(self) -> str:
        return f"{self.route.method} {self.route.path}"


def _rows() -> list[Row]:
    head, *lines = TABLE.strip("\n").splitlines()
    columns = head.split()
    rows = []
    for line in lines:
        method, path, *numbers = line.split()
        assert len(numbers) == len(columns), line
        rows.append(Row(Route(method, path), dict(zip(columns, map(int, numbers), strict=True))))
    return rows


ROWS = _rows()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def callers(deployment: Deployment, database: Database) -> dict[str, dict[str, str]]:
    """The headers of every kind of caller, by column."""
    scopes = {"read": "jobs:read", "write": "jobs:write"}
    found = {"none": {}, "garbage": _bearer("no.key"), "x-admin": {"X-Admin-Key": ADMIN_KEY}}
    async with database.session("demo") as session:
        for name in ("expired", "revoked", "bare", "read", "write", "admin", "operator"):
            wanted = SCOPES if name in ("expired", "revoked", "bare") else {scopes.get(name, name)}
            key = await issue_key(session, Pepper(MASTER_KEY), "demo", name=f"matrix {name}", scopes=wanted)
            found[name] = _bearer(key)
        for name, change in (
            ("expired", "expires_at = now() - interval '1 second'"),
            ("revoked", "revoked_at = now()"),
            ("bare", "scopes = '{}'"),
        ):
            await session.execute(text(f"update api_keys set {change} where name = 'matrix {name}'"))
    return found


@pytest.fixture(scope="module")
def stranger(deployment: Deployment) -> dict[str, str]:
    return _bearer(ensure_tenant(deployment.database_url, MASTER_KEY, "other", {})["api_key"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def parts(api: httpx.AsyncClient, database: Database) -> dict[str, str]:
    await create_tenant(database, "matrix")
    async with database.session("demo") as session:
        session.add(ChatAgent(tenant_id="demo", name="matrix", prompt="Ask.", max_output_tokens=100))
    job = (await api.post("/v1/jobs", json=JOB)).json()
    await api.post(job["links"]["cancel"])
    return PARTS | {"job_id": job["job_id"]}


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def call(api: httpx.AsyncClient, row: Row, parts: dict[str, str], who: dict[str, str], *, under: str = "") -> Any:
    method, path = row.route
    if method == "MOUNT":
        method, path = "GET", f"{path}/{FILE_OF_MOUNT[path]}"
    mine = parts | PARTS_OF_ROW.get(row.name, {})
    address = under + re.sub(r"\{(\w+)(:\w+)?\}", lambda match: mine[match[1]], path)
    request = api.build_request(method, address, json=BODIES.get(row.name), headers=who)
    if "Authorization" not in who:
        del request.headers["Authorization"]
    return await api.send(request)


def test_every_route_has_a_row() -> None:
    rows = {row.route for row in ROWS}
    plain = {Route(each.method, each.path.removeprefix(TWIN)) for each in all_routes(unserved_app())}
    missing = sorted(f"{each.method} {each.path}" for each in plain - rows)
    assert not missing, f"no row for {', '.join(missing)}: {MISSING}"
    assert not rows - plain, f"no such route: {sorted(rows - plain)}; take its row out"


def test_every_v1_route_has_a_twin_under_the_tenants_address() -> None:
    found = set(all_routes(unserved_app()))
    assert {Route(each.method, TWIN + each.path) for each in found if each.path.startswith("/v1/")} == {
        each for each in found if each.path.startswith(TWIN)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_route_answers_each_caller_as_the_table_says(
    api: httpx.AsyncClient, callers: dict[str, dict[str, str]], parts: dict[str, str], row: Row
) -> None:
    assert set(callers) == set(row.expected)
    found = {who: (await call(api, row, parts, callers[who])).status_code for who in row.expected}
    assert found == row.expected


@pytest.mark.parametrize("row", [row for row in ROWS if row.route.path.startswith("/v1/")], ids=lambda row: row.name)
async def test_under_the_tenants_address_the_same_holds_and_a_stranger_finds_nothing(
    api: httpx.AsyncClient,
    callers: dict[str, dict[str, str]],
    stranger: dict[str, str],
    parts: dict[str, str],
    row: Row,
) -> None:
    found = {who: (await call(api, row, parts, callers[who], under="/t/demo")).status_code for who in row.expected}
    assert found == row.expected
    answer = await call(api, row, parts, stranger, under="/t/demo")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
