"""The bench's queue: data only."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.engine.workload import JobKind, Workload

QUEUE = "bench"
SLOTS = 100


class Work(BaseModel):
    """Which row of the tape is the job's, and how long it sleeps or computes."""

    model_config = ConfigDict(extra="forbid")

    job: int = Field(ge=0)
    seconds: float = Field(0.0, ge=0, le=3600)


class Worked(BaseModel):
    job: int


def _kind(name: str, summary: str) -> JobKind:
    return JobKind(f"bench.{name}", f"bench.ours.tasks:{name}", Work, Worked, summary)


WORKLOAD = Workload(
    name=QUEUE,
    redis_db=15,
    summary="What `make bench` measures",
    kinds=(
        _kind("work", "Does nothing, or sleeps"),
        _kind("compute", "Keeps a processor busy"),
        _kind("record", "Writes a row in a transaction of its own, together with its end"),
        _kind("effects", "Has its row written in the batch that ends it"),
    ),
    functions=("bench.ours.tasks:plain_work",),
    concurrency=SLOTS,
    grace=2.0,
)
