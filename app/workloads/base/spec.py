"""The base queue: data only; everything else is derived from it."""

from app.engine.schedules import At, Schedule
from app.engine.workload import Scaling, Workload

WORKLOAD = Workload(
    name="base",
    redis_db=1,
    summary="Maintenance, and effects that cross workloads",
    functions=("app.workloads.base.tasks:sample_task",),
    concurrency=10,
    grace=30.0,
    relays_outbox=True,
    keeps_files=True,  # what is past retention goes with its files
    scaling=Scaling(min_replicas=1, max_replicas=3, target_age_seconds=30),
    schedules=(
        # Past the hour: at its beginning a school's clocks all strike.
        Schedule("base.expire", at=At(minute=17), task="app.workloads.base.tasks:expire", timeout=1800.0),
        Schedule("base.tidy", at=At(hour=2, minute=43), task="app.workloads.base.tasks:tidy", timeout=3600.0),
        Schedule("base.audit", every=300.0, task="app.workloads.base.tasks:audit"),
    ),
)
