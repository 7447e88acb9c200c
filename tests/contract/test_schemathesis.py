"""The whole API against its own description, by requests that were made from it: valid ones, wrong ones, sequences.

`HOMEROOM_EXAMPLES` says how many for each operation: 25 in `make test`, always the same ones; 200 in `make nightly`,
other ones each time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from zlib import crc32

import httpx
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import text

from app.kit.db import Database
from app.tenancy.keys import SCOPES, Pepper, issue_key
from app.tenancy.tenants import create_tenant
from tests.support.assignment_rows import ASSIGNMENT, fill_assignments
from tests.support.deployment import ADMIN_KEY, MASTER_KEY, Deployment, free_port
from tests.support.exam_rows import EXAM, fill_exams
from tests.support.processes import ROOT
from tests.support.profile_rows import STUDENT, fill_profiles
from tests.support.routes import unserved_app

USUAL = 25
EXAMPLES = int(os.environ.get("HOMEROOM_EXAMPLES", USUAL))
OPTIONS = settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES == USUAL,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PATIENCE = 20.0

SCHEMA = schemathesis.openapi.from_dict(unserved_app().openapi())


@pytest.fixture(scope="module")
def address(deployment: Deployment) -> Iterator[str]:
    """The API as a process of its own: these requests block, and must not block what they ask."""
    port = free_port()
    environment = deployment.environment(PORT=str(port), LOG_LEVEL="error", PATH=os.environ["PATH"])
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "api"], cwd=ROOT, env=environment)
    try:
        yield _ready(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(10)


def _ready(address: str, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            httpx.get(f"{address}/healthz").raise_for_status()
            return address
        except httpx.HTTPError:
            assert process.poll() is None, "the API ended"
            assert time.monotonic() < until, "the API does not answer"
            time.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def caller(deployment: Deployment, database: Database) -> dict[str, str]:
    """The headers of who may do everything, and may do it often."""
    async with database.session("demo") as session:
        key = await issue_key(session, Pepper(MASTER_KEY), "demo", name="everything", scopes=SCOPES)
        await session.execute(text("""update tenants set limits = '{"requests_per_minute": 100000000}'"""))
    return {"Authorization": f"Bearer {key}", "X-Admin-Key": ADMIN_KEY}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real(database: Database, address: str, caller: dict[str, str]) -> dict[str, list[str]]:
    """What there is, by the names of paths' parts. No job of it can begin, so that every event stream ends."""
    await create_tenant(database, "target")
    async with database.session("target") as session:
        key = await issue_key(session, Pepper(MASTER_KEY), "target", name="target", scopes=SCOPES)
    jobs = []
    async with httpx.AsyncClient(base_url=address, headers=caller) as client:
        for _ in range(3):
            jobs.append((await client.post("/v1/jobs", json={"kind": "diagnostics.echo"})).json())
            await client.post(jobs[-1]["links"]["cancel"])
        said = {"role": "teacher", "teacher_id": "t", "messages": [{"role": "user", "content": "Hello"}]}
        turn = (await client.post("/v1/chat", json=said)).json()
        await client.post(turn["links"]["cancel"])
        sessions = (await client.get("/v1/chat/sessions")).json()["data"]
        await client.put("/v1/agents/tutor", json={"prompt": "Ask, never tell."})
    async with database.tenant("demo") as connection:
        await fill_profiles(connection, "demo")
        await fill_exams(connection, "demo")
        await fill_assignments(connection, "demo")
    return {
        "session": [session["id"] for session in sessions],
        "agent": ["tutor"],
        "student_id": [STUDENT],
        "exam_id": [EXAM],
        "assignment_id": [ASSIGNMENT],
        "n": ["1"],
        "job_id": [job["job_id"] for job in jobs],
        "tenant": ["target"],
        "key_id": [key.partition(".")[0].rpartition("_")[2]],
        "name": ["base"],
        "code": ["not_found"],
    }


@SCHEMA.parametrize()
@OPTIONS
def test_an_operation_is_as_described(
    case: schemathesis.Case[Any], address: str, caller: dict[str, str], real: dict[str, list[str]]
) -> None:
    _make_real(case, real)
    case.call_and_validate(base_url=address, headers=caller, checks=_checks(case), timeout=10)


def _checks(case: schemathesis.Case[Any]) -> list[Any]:
    """OpenAPI 3.1 has no words for the events of a stream; to schemathesis its schema would be that of each."""
    return [each for each in CHECKS if each is not response_schema_conformance or not case.path.endswith("/events")]


def _make_real(case: schemathesis.Case[Any], real: dict[str, list[str]]) -> None:
    """Every other request is about something that there is: random ids meet nothing but 404."""
    number = crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if number % 2:
        for name in case.path_parameters:
            case.path_parameters[name] = real[name][number % len(real[name])]
        _make_submittable(case)


def _make_submittable(case: schemathesis.Case[Any]) -> None:
    if case.path == "/v1/jobs" and isinstance(case.body, dict) and "kind" in case.body:
        case.body["kind"] = "diagnostics.echo"
        case.body.pop("queue", None)


def test_sequences_are_as_described(address: str, caller: dict[str, str]) -> None:
    class Sequences(SCHEMA.as_state_machine()):  # type: ignore[misc]
        """Requests that go on with what earlier ones answered."""

        def before_call(self, case: schemathesis.Case[Any]) -> None:
            _make_submittable(case)
            if case.path.endswith("/events"):  # without a worker a stream would have no end
                httpx.post(f"{address}/v1/jobs/{quote(str(case.path_parameters['job_id']))}/cancel", headers=caller)

        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            return {"base_url": address, "headers": caller, "timeout": 10}

        def validate_response(self, response: Any, case: schemathesis.Case[Any], **_: Any) -> None:
            case.validate_response(response, checks=_checks(case))

    run_state_machine_as_test(Sequences, settings=settings(OPTIONS, stateful_step_count=6))
