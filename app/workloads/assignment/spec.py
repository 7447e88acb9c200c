"""The assignment queue: data only; everything else is derived from it."""

from app.engine.workload import JobKind, Scaling, Workload
from app.workloads.assignment.schemas import ParseResult
from app.workloads.uploads.schemas import ParseInput

WORKLOAD = Workload(
    name="assignment",
    redis_db=5,
    summary="Assignments parsed into drafts",
    kinds=(
        JobKind(
            name="assignment.parse",
            task="app.workloads.assignment.tasks:parse",
            input=ParseInput,
            result=ParseResult,
            summary="Reads the files of an assignment into a draft",
            timeout=1500.0,  # what documents/limits.py gives the paper and the key, and what a model gets to fill it
            max_attempts=3,
            permits=("ocr",),
            lanes=False,
            reach="app.workloads.uploads.people:reach",
            describes="app.workloads.assignment.describing:describe",
            public=False,
        ),
    ),
    concurrency=2,
    grace=60.0,
    script="run_upload_worker.py",
    routes="app.workloads.assignment.routes:router",
    tools="app.workloads.uploads.tools:open_tools",
    keeps_files=True,
    on_expire="app.workloads.assignment.keeping:expire",
    on_tidy="app.workloads.assignment.keeping:tidy",
    # The limit is what documents/limits.py lets two parsers and one text recogniser have, and the worker itself.
    scaling=Scaling(
        min_replicas=1, max_replicas=20, target_age_seconds=60, cpu=1.0, memory_mib=1024, memory_limit_mib=3328
    ),
)
