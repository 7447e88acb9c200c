"""The scripted provider as a process: what a storm test starts, feeds and reads."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from app.llm.compatible import CompatibleProvider
from app.llm.config import ProviderConfig
from app.llm.port import ProviderRefused
from tests.support.asking import ask, question
from tests.support.processes import ROOT
from tests.support.provider import at_once
from tests.support.waiting import eventually


async def test_a_process_serves_logs_and_takes_its_script(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    options = ["--log", str(log), "--default", '{"delay": 0.01, "piece": 4}', "--faults", '[[{"status": 401}, 0.0]]']
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.provider", *options),
        cwd=ROOT,
        env=dict(os.environ),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        provider = CompatibleProvider(ProviderConfig("m", url))
        asked = [question(f"[[lane-{lane}]] turn {turn}") for turn in range(3) for lane in range(4)]
        answers = await asyncio.gather(*(ask(provider, each) for each in asked))
        assert [finished.text for _, finished in answers] == [f"You said: {each.user}" for each in asked]

        async with httpx.AsyncClient() as client:
            told = await client.post(f"{url.removesuffix('/v1')}/script", json=[{"status": 401}])
        assert told.json() == {"steps": 1}
        with pytest.raises(ProviderRefused, match="provider_key"):
            await ask(provider, question("[[lane-0]] refused"))

        abandoned = asyncio.create_task(ask(provider, question("[[alone]] " + "x" * 40_000)))
        await eventually(lambda: _holds(log, '"alone"'), what="the abandoned call's start")
        abandoned.cancel()
        await asyncio.wait({abandoned})
        await eventually(lambda: _holds(log, '"outcome": "aborted"'), what="the abandoned call's end")
        await provider.close()
    finally:
        process.terminate()
        await process.wait()

    entries = [json.loads(line) for line in (await asyncio.to_thread(log.read_text)).splitlines()]
    assert sum(entry["event"] == "start" for entry in entries) == 14
    assert [entry["outcome"] for entry in entries if entry["event"] == "end"] == ["done"] * 12 + ["refused", "aborted"]
    assert set(at_once(log)) == {"lane-0", "lane-1", "lane-2", "lane-3", "alone"}


def test_the_log_tells_how_many_calls_of_a_lane_ran_at_once(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    order = [("start", "a"), ("start", "b"), ("end", "a"), ("start", "a"), ("start", "b"), ("end", "b"), ("end", "a")]
    log.write_text("".join(json.dumps({"event": event, "marker": marker}) + "\n" for event, marker in order))
    assert at_once(log) == {"a": 1, "b": 2}


async def _holds(log: Path, text: str) -> bool:
    return text in await asyncio.to_thread(log.read_text)
