"""The profile queue: data only; everything else is derived from it."""

from app.engine.workload import Scaling, Workload

WORKLOAD = Workload(
    name="profile",
    redis_db=6,
    summary="Student profiles, serial per student",
    concurrency=20,
    grace=30.0,
    scaling=Scaling(min_replicas=1, max_replicas=10, target_age_seconds=30),
)
