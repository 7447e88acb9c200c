"""What work costs, in processor time and bytes: the figures that the sizing in docs/OPERATIONS.md is reckoned from.

    python -m demo.costs

Processor seconds of each process are read before and after a known amount of work. Unlike rates they are the same on a
machine that does other things at the time. What the parts spend on doing nothing is taken off.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import psutil
import redis.asyncio

from demo.day import QUESTIONS
from demo.deployment import Up, running, schools
from demo.exam import KEY, MARKS, PAPER
from demo.people import School
from tests.corpus.documents import writers
from tests.corpus.documents.papers import MIXED, STYLES, make_paper

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("api", "chat", "exam", "profile", "base", "postgres", "redis")
PUPILS, TURNS, JOBS, EXAMS, PAGES = 20, 10, 5_000, 10, 6
IDLE = 10.0  # seconds of doing nothing
SETTLE = 2.0  # seconds in which what is still under way comes to its end


class Scales:
    """Weighs what each part spends on a piece of work."""

    def __init__(self, up: Up) -> None:
        self._up = up
        self._idle = dict.fromkeys(PARTS, 0.0)  # seconds a second: what each spends on watching and keeping its lease

    async def tare(self) -> None:
        before = self._read()
        await asyncio.sleep(IDLE)
        self._idle = {part: (seconds - before[part]) / IDLE for part, seconds in self._read().items()}
        told = ", ".join(f"{part} {rate * 1000:.1f}" for part, rate in self._idle.items())
        print(f"idle, ms of a processor a second: {told}", flush=True)

    def _read(self) -> dict[str, float]:
        return {part: _seconds(self._up.pid(part)) for part in PARTS}

    @asynccontextmanager
    async def weighing(self, what: str, count: int) -> AsyncIterator[None]:
        before, began = self._read(), time.monotonic()
        yield
        await asyncio.sleep(SETTLE)
        passed = time.monotonic() - began
        after = self._read()
        spent = {part: (after[part] - before[part] - self._idle[part] * passed) / count * 1000 for part in PARTS}
        told = ", ".join(f"{part} {ms:.2f}" for part, ms in spent.items() if ms >= 0.01)  # noqa: PLR2004
        print(f"{what:34} {count:>6}  {sum(spent.values()):9.2f} ms: {told}", flush=True)


def _seconds(pid: int | None) -> float:
    """Of a process and all that it started, those that have ended included."""
    assert pid is not None
    process = psutil.Process(pid)
    total = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:2])
    return float(total)


async def measure(folder: Path) -> None:
    async with running(folder, 0) as up, schools(up) as opened:
        database = await asyncpg.connect(up.document["database_url"])
        scales, school = Scales(up), opened[0]
        await school.ended(await school.submit("diagnostics.echo", "base"))
        await scales.tare()
        size = await _size(database)
        async with scales.weighing("a plain job, in bulk", JOBS):
            await _bulk(school, JOBS, "base")
        print(f"{'':34} {(await _size(database) - size) / JOBS:9.0f} bytes of Postgres a job")
        size = await _size(database)
        async with scales.weighing("a chat turn, local provider", PUPILS * TURNS):
            await asyncio.gather(*(_talk(school, f"p{number}") for number in range(PUPILS)))
        print(f"{'':34} {(await _size(database) - size) / (PUPILS * TURNS):9.0f} bytes of Postgres a turn")
        async with scales.weighing("an exam of text, four pupils", EXAMS):
            for number in range(EXAMS):
                await _exam(school, f"text-{number}", ("paper.txt", PAPER))
        scans = writers.scan(make_paper("plain", STYLES["plain"], 200, MIXED), 7)
        async with scales.weighing("a scanned page", PAGES):
            for number in range(PAGES):
                await _exam(school, f"scan-{number}", ("paper.jpg", scans[0]))
        await _waiting(up, school)
        await database.close()


async def _bulk(school: School, count: int, queue: str) -> None:
    jobs = [{"kind": "diagnostics.echo", "queue": queue, "input": {"number": number}} for number in range(count)]
    for start in range(0, count, 1000):
        last = await school.submit_many(jobs[start : start + 1000])
    await asyncio.gather(*(school.ended(job) for job in last))


async def _talk(school: School, pupil: str) -> None:
    for number in range(TURNS):
        await school.ask(pupil, f"{QUESTIONS[number % len(QUESTIONS)]} ({number})")


async def _exam(school: School, name: str, paper: tuple[str, bytes]) -> None:
    form = {"exam_id": name, "date": "2026-11-20", "class_name": "7B", "language": "en"}
    files = [("paper_files", paper), ("answer_files", ("key.txt", KEY)), ("score_files", ("marks.csv", MARKS))]
    job = await school.ended(await school.upload("exams", form, files))
    if job["status"] != "done":
        raise RuntimeError(f"{name}: {job['error']}: {job['error_detail']}")


async def _waiting(up: Up, school: School) -> None:
    """What a job that waits takes of Redis' memory."""
    client = redis.asyncio.Redis.from_url(up.document["redis_url"])
    async with httpx.AsyncClient(base_url=up.url, headers=up.admin, timeout=60) as operator:
        await operator.post("/admin/queues/profile/pause")
        before = int((await client.info("memory"))["used_memory"])
        jobs = [{"kind": "diagnostics.echo", "queue": "profile", "input": {"n": number}} for number in range(JOBS)]
        for start in range(0, JOBS, 1000):
            await school.submit_many(jobs[start : start + 1000])
        after = int((await client.info("memory"))["used_memory"])
    await client.aclose()
    print(f"{'a job that waits':34} {JOBS:>6}  {(after - before) / JOBS:9.0f} bytes of Redis, live events included")


async def _size(database: asyncpg.Connection) -> int:
    size: int = await database.fetchval("select pg_database_size(current_database())")
    return size


if __name__ == "__main__":
    sys.exit(asyncio.run(measure(ROOT / ".demo" / "costs")))
