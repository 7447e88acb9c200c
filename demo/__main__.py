"""A school day in two minutes: five schools, their pupils, a crash that heals, a pause, a repair, an exam.

make demo                            from nothing to a picture of the console under load
python -m demo --scale 0.2           a smaller school
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from pathlib import Path

from demo.day import Day
from demo.deployment import Up, running, schools
from demo.narrator import Narrator
from demo.people import Job, School
from demo.picture import take_picture

ROOT = Path(__file__).resolve().parents[1]


async def run(folder: Path, *, port: int, scale: float, seed: int, picture: Path | None) -> int:
    tell = Narrator()
    tell.scene("07:30  Homeroom starts: Postgres, Redis, the API, and a worker for each of five queues.")
    async with running(folder, port) as up, schools(up) as opened:
        tell.say(f"ready at {up.url}; five schools are registered, each with a small library.")
        day = Day(up, opened, tell, scale=scale, seed=seed)
        await day.pass_()
        if picture is not None:
            await _look(day, up, tell, picture)
        lost = await _evening(day.jobs, up, tell)
    tell.scene("Everything is stopped again.")
    return int(bool(lost))


async def _look(day: Day, up: Up, tell: Narrator, picture: Path) -> None:
    tell.scene("14:00  A look at the console while work goes on.")
    going_on = asyncio.create_task(day.background())
    try:
        taken = await take_picture(up.url, up.document["operator_key"], picture)
    finally:
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)
    tell.say(f"its picture is {picture}" if taken else f"no browser here; look yourself at {up.url}/console")


async def _evening(jobs: list[tuple[School, Job]], up: Up, tell: Narrator) -> int:
    """What the schools were told at the time, held against what the ledger says now."""
    tell.scene("17:00  The books are closed.")
    statuses = Counter([(await school.read(job))["status"] for school, job in jobs])
    unfinished = len(jobs) - statuses["done"]
    tell.say(f"{len(jobs)} jobs were accepted, {statuses['done']} are done, {unfinished} are not.")
    return unfinished


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="how large the schools are (default: 1)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed asks the same questions (default: 7)")
    parser.add_argument("--port", type=int, default=0, help="the API's port (default: any that is free)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".demo", help="made anew each time (default: .demo)")
    parser.add_argument("--no-picture", action="store_true", help="do not look at the console")
    options = parser.parse_args()
    picture = None if options.no_picture else options.folder / "console.png"
    return asyncio.run(run(options.folder, port=options.port, scale=options.scale, seed=options.seed, picture=picture))


if __name__ == "__main__":
    sys.exit(main())
