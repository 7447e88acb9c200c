"""The chat queue: data only; everything else is derived from it."""

from app.engine.workload import Scaling, Workload

WORKLOAD = Workload(
    name="chat",
    redis_db=3,
    summary="Tutoring replies, strictly serial per lane",
    concurrency=50,
    grace=60.0,
    scaling=Scaling(min_replicas=1, max_replicas=50, target_age_seconds=2),
)
