"""The exam queue: data only; everything else is derived from it."""

from app.engine.workload import Scaling, Workload

WORKLOAD = Workload(
    name="exam",
    redis_db=4,
    summary="Exam papers, score sheets and answer keys parsed into drafts",
    concurrency=2,
    grace=60.0,
    script="run_upload_worker.py",
    scaling=Scaling(min_replicas=1, max_replicas=20, target_age_seconds=60),
)
