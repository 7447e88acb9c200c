"""kill -9 between any two writes: of workers, of whoever reconciles, of API processes.

A process dies at the first pass of its place, so that each of them proves by its exit code that it was struck there.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx
import pytest
import redis.asyncio

from tests.support.fleet import KILLED
from tests.support.history import Accepted
from tests.support.scene import PATIENCE, Load, Scene, item
from tests.support.trials import is_long, trials
from tests.support.waiting import eventually

AT_WORK = (
    "claim.taken",
    "permits.taken",
    "begin.committed",
    "complete.unfinished",
    "complete.committed",
    "finish.before",
    "finish.unwritten",
    "finish.committed",
    "finish.dispatched",
    "note.before",
    "note.written",
)
AT_REPAIR = ("rebuild.entered", "rebuild.hinted", "sweep.dispatched", "rebuild.settled", "rescue.committed")
AT_THE_DOOR = ("submit.committed", "submit.dispatched", "note.before", "note.written")
SHORT_LEASE: dict[str, Any] = {"LEASE_SECONDS": "1", "HEARTBEAT_SECONDS": "0.25"}


@trials
async def test_workers_are_killed_between_two_writes(scene: Scene, trial: int) -> None:
    """All at once, one at each place, beside two that live."""
    async with AsyncExitStack() as stack:
        opening = [
            scene.fleet.worker("chat", FAILPOINTS=f"{place}=kill", CHAT_CONCURRENCY="2", **scene.environment())
            for place in AT_WORK
        ]
        doomed = await asyncio.gather(*(stack.enter_async_context(each) for each in opening))
        async with scene.load(seconds=0.05) as load:
            for place, process in zip(AT_WORK, doomed, strict=True):
                assert await asyncio.wait_for(process.wait(), PATIENCE) == KILLED, place
    report = await scene.judge("kill -9 of workers", load)
    assert report.lost > 0
    assert await scene.fleet.ledger.fetchval(_FAILURES, load.jobs) == 0  # a lost worker costs no job a failure
    assert scene.unharmed()


@trials
async def test_reconcilers_are_killed_between_two_writes(scene: Scene, trial: int) -> None:
    """One after the other, each over what the last one left behind; nobody else serves this queue meanwhile."""
    load = Load("assignment")
    async with redis.asyncio.Redis.from_url(scene.redis.url()) as server:
        for place in (*AT_REPAIR[:-1], "begin.committed", AT_REPAIR[-1]):
            lanes = (f"repair-{trial}", None, f"repair-{trial}", None)
            await scene.offer(load, [item("assignment", lane=lane) for lane in lanes])
            if place.startswith("rebuild") and not (is_long(trial) and place == "rebuild.hinted"):
                await server.flushall()  # but once in the long version, where the mark of who died has to end by itself
            if place == "sweep.dispatched":  # what nobody was told of
                await scene.fleet.ledger.execute("update jobs set dispatched_at = null where queue = 'assignment'")
            strike = scene.fleet.worker(
                "assignment", wait=False, FAILPOINTS=f"{place}=kill", **SHORT_LEASE, **scene.environment()
            )
            async with strike as doomed:
                assert await asyncio.wait_for(doomed.wait(), PATIENCE) == KILLED, place
    assert await scene.fleet.statuses(load.jobs) != {"done": len(load.jobs)}
    async with scene.fleet.worker("assignment", **SHORT_LEASE, **scene.environment()):
        report = await scene.judge("kill -9 of reconcilers", load)
    assert report.lost > 0


@trials
async def test_api_processes_are_killed_between_two_writes(scene: Scene, trial: int) -> None:
    """What was in their hands is asked for again at another one, under the same key."""
    load = Load("chat")
    async with AsyncExitStack() as stack:
        opening = [scene.fleet.api(FAILPOINTS=f"{place}=kill") for place in AT_THE_DOOR]
        doomed = await asyncio.gather(*(stack.enter_async_context(each) for each in opening))
        bodies = [item("chat", lane=f"door-{trial}-{place}") for place in AT_THE_DOOR]
        await asyncio.gather(*(_ask(client, body) for (_, client), body in zip(doomed, bodies, strict=True)))
        for place, (process, _) in zip(AT_THE_DOOR, doomed, strict=True):
            assert await asyncio.wait_for(process.wait(), PATIENCE) == KILLED, place
    for body in bodies:
        answer = await _ask(scene.api, body)
        assert answer is not None
        assert answer.headers["Idempotency-Replayed"] == "true"  # committed before its process died
        load.accepted.append(Accepted(str(body["idempotency_key"]), answer.json()["job_id"]))
    await scene.judge("kill -9 of API processes", load)


@trials
async def test_an_api_is_killed_after_it_has_cancelled_or_retried(scene: Scene, trial: int) -> None:
    load, lane, verbs = Load("chat"), f"verbs-{trial}", ("cancel", "retry")
    failing = {"kind": "diagnostics.fail", "queue": "chat", "input": {"times": 1, "transient": False}}
    failed = UUID((await scene.api.post("/v1/jobs", json=failing)).json()["job_id"])
    await scene.fleet.all_ended([failed])
    async with AsyncExitStack() as stack:
        opening = [scene.fleet.api(FAILPOINTS=f"{verb}.committed=kill") for verb in verbs]
        doomed = await asyncio.gather(*(stack.enter_async_context(each) for each in opening))
        _, second, _ = await scene.offer(load, [item("chat", lane=lane, seconds=2.0 * (n == 0)) for n in range(3)])
        for verb, job, (process, client) in zip(verbs, (second, failed), doomed, strict=True):
            with pytest.raises(httpx.TransportError):
                await client.post(f"/v1/jobs/{job}/{verb}")
            assert await asyncio.wait_for(process.wait(), PATIENCE) == KILLED, verb

    async def ran_again() -> bool:
        return await scene.fleet.attempts(failed) == ["failure", "failure"]

    await eventually(ran_again, within=PATIENCE, what="the retry that nobody was told of")
    await scene.judge("kill -9 after a verb", load)
    assert await scene.fleet.statuses(load.jobs) == {"done": 2, "cancelled": 1}


async def _ask(client: httpx.AsyncClient, body: dict[str, object]) -> httpx.Response | None:
    """None: the process died over it."""
    job = {name: value for name, value in body.items() if name != "idempotency_key"}
    try:
        return await client.post("/v1/jobs", json=job, headers={"Idempotency-Key": str(body["idempotency_key"])})
    except httpx.TransportError:
        return None


_FAILURES = "select count(*) from jobs where job_id = any($1::uuid[]) and failures > 0 and input->>'ends' <> 'retry'"
