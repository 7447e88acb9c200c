"""The profile queue: data only; everything else is derived from it."""

from app.engine.workload import JobKind, Scaling, Workload
from app.kit.backoff import Backoff
from app.workloads.profile.schemas import ProfileUpdate, ProfileUpdated

WORKLOAD = Workload(
    name="profile",
    redis_db=6,
    summary="Student profiles, serial per student",
    kinds=(
        JobKind(
            name="profile.update",
            task="app.workloads.profile.tasks:update",
            input=ProfileUpdate,
            result=ProfileUpdated,
            summary="Takes what was found out about a student into the profile",
            timeout=60.0,
            max_attempts=8,
            backoff=Backoff(first=0.5, cap=60.0),
            lanes=False,
            placement="app.workloads.profile.placement:place",
            alongside="app.workloads.profile.placement:keep_update",
            reach="app.workloads.profile.placement:reach",
        ),
    ),
    concurrency=20,
    grace=30.0,
    routes="app.workloads.profile.routes:router",
    scaling=Scaling(min_replicas=1, max_replicas=10, target_age_seconds=30),
)
