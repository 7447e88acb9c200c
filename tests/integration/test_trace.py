"""A request's trace travels with the jobs that it makes: to their rows, over the outbox, to the model that they ask."""

from __future__ import annotations

import re
from uuid import UUID

import httpx

from app.engine.diagnostics import KINDS
from app.engine.outbox import SUBMIT, Relay, emit
from app.engine.workload import Registry
from app.kit import trace
from app.kit.db import Connection, Database
from app.workloads import WORKLOADS
from tests.support.chat import chat_worker, ended, turn
from tests.support.deployment import Deployment
from tests.support.provider import serve_provider
from tests.support.stage import open_stage

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
JOB = {"kind": "diagnostics.echo", "queue": "exam", "input": None}


def traceparent(span: int) -> str:
    return f"00-{TRACE}-{span:016x}-01"


async def kept(ledger: Connection, job_id: str) -> str | None:
    found: str | None = await ledger.fetchval("select traceparent from jobs where job_id = $1", UUID(job_id))
    return found


async def test_each_way_in_keeps_the_trace_of_its_request(api: httpx.AsyncClient, ledger: Connection) -> None:
    async def post(path: str, body: object, span: int, **headers: str) -> httpx.Response:
        answer = await api.post(path, json=body, headers={"traceparent": traceparent(span), **headers})
        assert answer.status_code == 202, answer.text
        return answer

    plain = (await post("/v1/jobs", JOB, 1)).json()
    keyed = (await post("/v1/jobs", JOB, 2, **{"Idempotency-Key": "traced"})).json()
    laned = (await post("/v1/jobs", JOB | {"lane": "one"}, 3)).json()
    talk = (await post("/v1/chat", turn("What is a fraction?"), 4)).json()
    for span, job in enumerate((plain, keyed, laned, talk), 1):
        assert await kept(ledger, job["job_id"]) == traceparent(span)
    bulk = (await post("/v1/jobs/bulk", {"jobs": [JOB, JOB | {"lane": "two"}]}, 5)).json()
    for entry in bulk["data"]:
        assert await kept(ledger, entry["job"]["job_id"]) == traceparent(5)
    again = (await post("/v1/jobs", JOB, 6, **{"Idempotency-Key": "traced"})).json()
    assert again["job_id"] == keyed["job_id"]
    assert await kept(ledger, keyed["job_id"]) == traceparent(2)


async def test_without_a_sound_header_there_is_none(api: httpx.AsyncClient, ledger: Connection) -> None:
    for headers in ({}, {"traceparent": f"00-{'0' * 32}-{1:016x}-01"}, {"traceparent": "'; drop table jobs"}):
        answer = await api.post("/v1/jobs", json=JOB, headers=headers)
        assert answer.status_code == 202
        assert await kept(ledger, answer.json()["job_id"]) is None


async def test_an_effect_takes_the_trace_along(deployment: Deployment, database: Database, ledger: Connection) -> None:
    payload = {"kind": "diagnostics.echo", "input": "told"}
    async with open_stage(deployment, database) as stage:
        for traced in (traceparent(7), None):
            token = trace.enter(traced)
            async with database.session("demo") as session:
                effect_id = await emit(session, "demo", SUBMIT, payload)
            trace.leave(token)
            await Relay(stage.database, Registry(WORKLOADS, shared_kinds=KINDS), stage.submitter).deliver_pending()
            made = await ledger.fetchval("select job_id from idempotency_keys where key = $1", f"outbox:{effect_id}")
            assert await kept(ledger, str(made)) == traced


async def test_the_model_is_asked_under_the_trace(api: httpx.AsyncClient, deployment: Deployment) -> None:
    async with serve_provider() as provider, chat_worker(deployment, provider) as worker:
        for student, headers in (("traced", {"traceparent": traceparent(8)}), ("untraced", {})):
            answer = await api.post("/v1/chat", json=turn(f"I am {student}.", student=student), headers=headers)
            assert (await ended(api, answer.json()))["status"] == "done"
        assert provider.asked("I am traced.").headers["traceparent"] == traceparent(8)
        assert "traceparent" not in provider.asked("I am untraced.").headers
        told = worker.meter.render().decode()
    labels = 'error_type="",gen_ai_operation_name="chat",gen_ai_provider_name="openai-compatible"'
    counted = re.search(rf"gen_ai_client_operation_duration_seconds_count{{{re.escape(labels)}}} (\S+)", told)
    assert counted is not None
    assert float(counted[1]) >= 2
