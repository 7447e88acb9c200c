"""A school day: a lesson, a crash, a pause, a repaired failure, an exam; and a look at the books in the evening."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter

import httpx

from demo.deployment import Up
from demo.exam import hold_exam
from demo.narrator import Narrator, middle
from demo.people import Job, School, Turn
from demo.repair import mend_a_failure

QUESTIONS = (
    "How do I add fractions with different denominators?",
    "Why does a plant need light?",
    "What is the area of a triangle?",
    "How do I solve a linear equation?",
    "什么是光合作用？",
)
PUPILS, TURNS = 8, 3  # a school, each
WAITING_JOBS = 12  # a school, behind the pause


class Day:
    """Everything in its order; `scale` makes all of it smaller."""

    def __init__(self, up: Up, schools: list[School], narrator: Narrator, *, scale: float, seed: int) -> None:
        self._up = up
        self._schools = schools
        self._tell = narrator
        self._chance = random.Random(seed)
        self._pupils = max(2, round(PUPILS * scale))
        self._turns = max(1, round(TURNS * scale))
        self._waiting_jobs = max(2, round(WAITING_JOBS * scale))
        self.jobs: list[tuple[School, Job]] = []

    async def pass_(self) -> None:
        await self._lesson()
        await self._crash()
        await self._pause()
        self.jobs.append(await mend_a_failure(self._schools[1], self._tell))
        self.jobs += await hold_exam(self._schools[0], self._tell)

    async def background(self) -> None:
        """What goes on while somebody looks at the console."""
        while True:
            school = self._chance.choice(self._schools)
            queue = self._chance.choice(("chat", "exam", "assignment", "profile", "base"))
            await school.submit("diagnostics.sleep", queue, seconds=round(self._chance.uniform(0.2, 2.0), 2))
            await asyncio.sleep(0.05)

    async def _lesson(self) -> None:
        self._tell.scene("08:00  The first lesson. Every pupil asks the tutor, some faster than it answers.")
        turns = await self._all_ask(self._turns)
        waits = [each.seconds for each in turns]
        self._tell.say(f"{len(turns)} questions of {len(self._schools) * self._pupils} pupils in 5 schools: ")
        self._tell.say(f"all answered, the median after {middle(waits):.1f} s, the slowest after {max(waits):.1f} s.")

    async def _crash(self) -> None:
        self._tell.scene("09:00  kill -9 on the chat worker, in the middle of its work.")
        asking = asyncio.create_task(self._all_ask(1))
        asleep = [await school.submit("diagnostics.sleep", "chat", seconds=3) for school in self._schools]
        await self._schools[-1].begun(asleep[-1])
        pid = self._up.pid("chat")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        began = self._tell.seconds
        self._tell.say(f"worker {pid} is dead. Nobody is told; its lease will end within ten seconds.")
        ended = await asyncio.gather(*(school.ended(job) for school, job in zip(self._schools, asleep, strict=True)))
        turns = await asking
        attempts = [await school.attempts(job) for school, job in zip(self._schools, ended, strict=True)]
        self.jobs += zip(self._schools, ended, strict=True)
        lost = sum(each.count("lost") for each in attempts)
        self._tell.say(f"worker {self._up.pid('chat')} took its place. {lost} jobs were lost, and ran again:")
        self._tell.say(f"{' -> '.join(attempts[0])}, all ended {self._tell.seconds - began:.1f} s after the kill.")
        self._tell.say(f"{len(turns)} questions asked meanwhile: {_how(each.job for each in turns)}.")

    async def _pause(self) -> None:
        self._tell.scene("10:00  An operator pauses the exam queue, for maintenance.")
        async with httpx.AsyncClient(base_url=self._up.url, headers=self._up.admin, timeout=30) as operator:
            await operator.post("/admin/queues/exam/pause")
            jobs = [
                (school, await school.submit("diagnostics.sleep", "exam", seconds=0.1))
                for _ in range(self._waiting_jobs)
                for school in self._schools
            ]
            await asyncio.sleep(1)
            waiting = Counter([(await school.read(job))["status"] for school, job in jobs])
            self._tell.say(f"{len(jobs)} jobs come in and are accepted: {waiting['queued']} wait, none runs.")
            await operator.post("/admin/queues/exam/resume")
            self._tell.say("Resumed.")
            began = self._tell.seconds
            ended = await asyncio.gather(*(school.ended(job) for school, job in jobs))
        self.jobs += [(school, job) for (school, _), job in zip(jobs, ended, strict=True)]
        self._tell.say(f"{_how(ended)} in {self._tell.seconds - began:.1f} s, two at a time, the schools in turn.")

    async def _all_ask(self, turns: int) -> list[Turn]:
        async def pupil(school: School, name: str) -> list[Turn]:
            questions = [self._chance.choice(QUESTIONS) for _ in range(turns)]
            return [await school.ask(name, f"{text} ({number})") for number, text in enumerate(questions, 1)]

        asked = await asyncio.gather(
            *(pupil(school, f"pupil-{number}") for school in self._schools for number in range(self._pupils))
        )
        flat = [turn for each in asked for turn in each]
        owners = [school for school in self._schools for _ in range(self._pupils * turns)]
        self.jobs += [(school, turn.job) for school, turn in zip(owners, flat, strict=True)]
        return flat


def _how(jobs: object) -> str:
    counts = Counter(job["status"] for job in jobs)  # type: ignore[attr-defined]
    return ", ".join(f"{count} {status}" for status, count in counts.items())
