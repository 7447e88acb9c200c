"""What each kind of process loads: an API no worker library, a worker no web framework. Real processes, looked at."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from app.workloads import WORKLOADS
from tests.support.deployment import Deployment
from tests.support.processes import ROOT

WEB = ("fastapi", "starlette", "uvicorn")
# What parses, and what starts it; kinds of files, their values and the marks of letters are nothing heavy.
READERS = tuple(f"app.documents.{room}" for room in ("reader", "sandbox", "ocr", "extract", "tables", "questions"))
DOCUMENTS = (*READERS, "rapidocr", "onnxruntime", "cv2", "pypdfium2", "pdfplumber", "docx", "PIL")

# Starts the part as its entrance does, serves until it is ready, and prints what is loaded.
API = """
import asyncio, json, sys
from app.main import app
async def main():
    async with app.router.lifespan_context(app):
        print(json.dumps(sorted(sys.modules)))
asyncio.run(main())
"""
WORKER = """
import asyncio, json, sys
import app.core.worker.run
from app.core.config import load_settings
from app.core.worker.build import open_runtime
async def main():
    async with open_runtime({name!r}, load_settings()) as runtime:
        def ready():
            print(json.dumps(sorted(sys.modules)))
            runtime.drain()
        await runtime.main(on_ready=ready)
asyncio.run(main())
"""


async def loaded_by(code: str, deployment: Deployment) -> Sequence[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, env=deployment.environment(), stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    listed = next(line for line in output.splitlines() if line.startswith(b"["))
    modules: list[str] = json.loads(listed)
    return modules


def found(modules: Sequence[str], names: Sequence[str]) -> list[str]:
    return [module for module in modules for name in names if module == name or module.startswith(f"{name}.")]


async def test_an_api_process_loads_no_job_function_and_no_document_library(deployment: Deployment) -> None:
    modules = await loaded_by(API, deployment)
    assert found(modules, ["fastapi"])  # it did start
    assert not found(modules, DOCUMENTS)
    assert not [module for module in modules if module.startswith("app.workloads.") and module.endswith(".tasks")]
    assert not found(modules, ["app.engine.runtime", "app.core.worker"])


@pytest.mark.parametrize("queue", [workload.name for workload in WORKLOADS])
async def test_a_worker_process_loads_no_web_framework_and_no_other_workload_s_code(
    deployment: Deployment, queue: str
) -> None:
    modules = await loaded_by(WORKER.format(name=queue), deployment)
    assert found(modules, ["app.engine.runtime"])  # it did start
    assert not found(modules, WEB)
    others = [workload.name for workload in WORKLOADS if workload.name != queue]
    strange = [f"app.workloads.{other}.{room}" for other in others for room in ("tasks", "service", "routes")]
    assert not found(modules, strange)
    if queue == "chat":
        assert not found(modules, DOCUMENTS)
