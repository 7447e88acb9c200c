"""The assignment queue: data only; everything else is derived from it."""

from app.engine.workload import Scaling, Workload

WORKLOAD = Workload(
    name="assignment",
    redis_db=5,
    summary="Assignments parsed into drafts",
    concurrency=2,
    grace=60.0,
    script="run_upload_worker.py",
    scaling=Scaling(min_replicas=1, max_replicas=20, target_age_seconds=60),
)
