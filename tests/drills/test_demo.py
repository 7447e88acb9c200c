"""`make demo`, with smaller schools: it tells what it should, and all that was accepted is done."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT


async def test_the_day_passes_and_nothing_is_lost(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo", "--scale", "0.2", "--no-picture", "--folder", str(tmp_path / "day")),
        cwd=ROOT,
        env=os.environ | {"LEASE_SECONDS": "2", "HEARTBEAT_SECONDS": "0.5"},  # a kill heals in two seconds, not in ten
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    for words in (
        "all answered",
        "lost -> success",  # the job that the killed worker held
        "wait, none runs",
        "a pupil's question failed",
        "done at try 2, under the same id",
        "parsed: 4 questions, 4 pupils",
        "confirmed",
    ):
        assert words in output, output
    closed = re.search(r"(\d+) jobs were accepted, (\d+) are done, (\d+) are not", output)
    assert closed is not None, output
    accepted, done, missing = map(int, closed.groups())
    assert (accepted, missing) == (done, 0)
    assert accepted > 20
