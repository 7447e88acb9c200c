"""The exam queue: data only; everything else is derived from it."""

from app.engine.workload import JobKind, Scaling, Workload
from app.workloads.exam.schemas import ExamParsed
from app.workloads.uploads.schemas import ParseInput

WORKLOAD = Workload(
    name="exam",
    redis_db=4,
    summary="Exam papers, score sheets and answer keys parsed into drafts",
    kinds=(
        JobKind(
            name="exam.parse",
            task="app.workloads.exam.tasks:parse",
            input=ParseInput,
            result=ExamParsed,
            summary="Reads the files of an exam into a draft",
            timeout=2100.0,  # three readings within documents/limits.py, and a model's help within uploads/filling.py
            max_attempts=3,
            permits=("ocr",),
            lanes=False,
            public=False,
            reach="app.workloads.uploads.people:reach",
            describes="app.workloads.exam.describing:describe",
        ),
    ),
    concurrency=2,
    grace=60.0,
    script="run_upload_worker.py",
    routes="app.workloads.exam.routes:router",
    tools="app.workloads.uploads.tools:open_tools",
    keeps_files=True,
    on_expire="app.workloads.exam.keeping:expire",
    on_tidy="app.workloads.exam.keeping:tidy",
    # The limit is what documents/limits.py lets two parsers and one text recogniser have, and the worker itself.
    scaling=Scaling(
        min_replicas=1, max_replicas=20, target_age_seconds=60, cpu=1.0, memory_mib=1024, memory_limit_mib=3328
    ),
)
