"""What a queue is: one definition, from which pools, worker settings, run scripts and API routes derive."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from app.engine.ledger.losses import MAX_LOSSES
from app.engine.schedules import Schedule
from app.kit.backoff import Backoff


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of work. `task` is a dotted path that only a worker resolves: the API never loads a job function."""

    name: str  # "<subject>.<verb>", stable: clients send it
    task: str  # "app.workloads.chat.tasks:reply", an async function (ctx: JobContext) -> JSON-able result
    input: type[BaseModel]
    result: type[BaseModel]
    summary: str
    timeout: float = 300.0  # seconds a delivery may run
    max_attempts: int = 5
    backoff: Backoff = field(default_factory=Backoff)
    # Workers that may die under it: as many, and it fails as `poisoned`; with one fewer it has its process to itself.
    max_losses: int = MAX_LOSSES
    # What a delivery takes before it begins and gives back at its end, by name; `{field}` is a field of the input. How
    # many of each a tenant has at a time, across all workers, is in its limits: ("llm_total", "llm_{role}").
    permits: tuple[str, ...] = ()
    lanes: bool = True  # whether a client may name a lane
    # For kinds that choose their lane themselves, dotted paths: (input) -> Placement, and what writes rows of the
    # tenant's in the transaction that accepts the job (engine/placement.py).
    placement: str | None = None
    alongside: str | None = None
    public: bool = True  # whether POST /v1/jobs accepts it
    # What a person with a token of their own may do with it: the dotted path of (Person, lane) -> Reach
    # (engine/people.py). Without one students may do nothing, and teachers all.
    reach: str | None = None
    # What its jobs' documents say besides: the dotted path of a `Describe` (api/jobs/documents.py).
    describes: str | None = None

    def permits_for(self, value: Any) -> tuple[str, ...]:
        """The names of the permits that a job with this input takes."""
        if not self.permits:
            return ()
        fields = _Fields(value if isinstance(value, dict) else {})
        return tuple(name.format_map(fields) for name in self.permits)


class _Fields(dict[str, Any]):
    """An input's fields; one that it lacks stays as it is written, and names a permit that nobody limits."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


@dataclass(frozen=True, slots=True)
class Scaling:
    """Hints for whoever scales the queue; manifests are rendered from them."""

    min_replicas: int = 1
    max_replicas: int = 10
    target_age_seconds: int = 30  # add workers when the oldest ready job is older
    cpu: float = 0.25  # cores that a worker is promised; it may use more where more is free
    memory_mib: int = 192  # that it is promised, and beyond which it is killed
    memory_limit_mib: int = 384


@dataclass(frozen=True, slots=True)
class Workload:
    """One queue with its own Redis database, worker settings and run script."""

    name: str
    redis_db: int
    summary: str
    kinds: tuple[JobKind, ...] = ()
    functions: tuple[str, ...] = ()  # plain ARQ functions, dotted paths
    concurrency: int = 10
    grace: float = 30.0  # seconds that running jobs get on SIGTERM before they are handed back
    relays_outbox: bool = False
    routes: str | None = None  # dotted path of an APIRouter
    tools: str | None = (
        None  # dotted path of (Supplies) -> async context manager; its functions get them as an argument
    )
    script: str | None = None  # its run script at the root; workloads may share one
    keeps_files: bool = False  # its workers read or write what is uploaded, and get the storage
    scaling: Scaling = field(default_factory=Scaling)
    schedules: tuple[Schedule, ...] = ()  # what its workers do by the clock
    # What it keeps outside the ledger, by dotted paths of (Database, Storage) -> a function: async (Sequence[Expired])
    # -> None, by which it goes before retention removes its jobs; and async (tenant id) -> int, daily, by which what a
    # crash left behind goes.
    on_expire: str | None = None
    on_tidy: str | None = None

    @property
    def run_script(self) -> str:
        return self.script or f"run_{self.name}_worker.py"


class Registry:
    """Which kinds run where: the specs, plus the diagnostics that every queue runs when they are switched on."""

    def __init__(
        self,
        workloads: Iterable[Workload],
        shared_kinds: Iterable[JobKind] = (),
        *,
        debounce_ms: Mapping[str, int] | None = None,  # by kind: an equal job of its lane within this time is the same
    ) -> None:
        self.debounce_ms = debounce_ms or {}
        self.workloads: Mapping[str, Workload] = _by_name(workloads, "queues")
        self.shared: Mapping[str, JobKind] = _by_name(shared_kinds, "kinds")
        self._own: dict[str, tuple[JobKind, str]] = {}
        for workload in self.workloads.values():
            for kind in workload.kinds:
                if kind.name in self._own or kind.name in self.shared:
                    raise ValueError(f"two kinds are named {kind.name!r}; a kind belongs to one queue")
                self._own[kind.name] = (kind, workload.name)

    def kinds_of(self, queue: str) -> dict[str, JobKind]:
        """Everything that this queue's workers run."""
        return {kind.name: kind for kind in self.workloads[queue].kinds} | dict(self.shared)

    def find(self, name: str) -> tuple[JobKind, str | None] | None:
        """The kind and its queue; the queue is None for a kind that runs on every queue."""
        if name in self.shared:
            return self.shared[name], None
        return self._own.get(name)

    def all_kinds(self) -> list[tuple[JobKind, str | None]]:
        return [*self._own.values(), *((kind, None) for kind in self.shared.values())]


Named = TypeVar("Named", JobKind, Workload)


def _by_name(things: Iterable[Named], what: str) -> dict[str, Named]:
    named: dict[str, Named] = {}
    for thing in things:
        if thing.name in named:
            raise ValueError(f"two {what} are named {thing.name!r}")
        named[thing.name] = thing
    return named


def resolve(path: str) -> Any:
    """The object behind "package.module:name"."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
