"""Who is measured: data only. Every contestant runs the same job, with 100 slots in one worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OURS = "homeroom"


@dataclass(frozen=True, slots=True)
class Contestant:
    name: str
    library: str  # which environment runs it: .bench/venvs/<library>, or the project's own
    producer: str  # a module for bench.produce
    worker: tuple[str, ...]  # arguments for its environment's python
    environment: Mapping[str, str] = field(default_factory=dict)
    noops: int = 20_000  # jobs of part A: as many as take two seconds or more
    naps: int = 10_000  # jobs of part B; 0 for one that runs a single job at a time
    enqueues: int = 4_000  # jobs of part C
    pickups: int = 200  # jobs of part D
    gap: float = 0.015  # seconds at most between a job's begin and the next request of part D
    kills: bool = False  # whether it stands for its library in part E

    @property
    def ours(self) -> bool:
        return self.library == OURS


def _peer(name: str, worker: tuple[str, ...] = (), *, library: str | None = None, **more: object) -> Contestant:
    library = library or name
    module = f"bench.peers.{library}.peer"
    return Contestant(name, library, module, worker or ("-m", module), **more)  # type: ignore[arg-type]


def _ours(name: str, producer: str, **more: object) -> Contestant:
    return Contestant(name, OURS, f"bench.ours.{producer}", ("-m", "bench.ours.worker"), **more)  # type: ignore[arg-type]


_TASKIQ = ("-m", "taskiq", "worker", "bench.peers.taskiq.peer:broker", "--workers", "1", "--log-level", "WARNING")
_DRAMATIQ = ("-m", "dramatiq", "bench.peers.dramatiq.peer", "--processes", "1", "--threads", "100")
_CELERY = ("-m", "celery", "-A", "bench.peers.celery.peer", "worker", "-P", "threads", "-c", "100", "-l", "WARNING")

PEERS = (
    _peer("taskiq stream", _TASKIQ, library="taskiq", environment={"BENCH_BROKER": "stream"}, kills=True),
    _peer("taskiq list", _TASKIQ, library="taskiq", environment={"BENCH_BROKER": "list"}, kills=True),
    _peer("dramatiq", _DRAMATIQ, kills=True),
    _peer("arq, poll 0.01", library="arq", environment={"BENCH_POLL_DELAY": "0.01"}, noops=10_000),
    _peer("saq", noops=10_000, kills=True),
    _peer("streaq", noops=6_000, kills=True),
    _peer("celery", _CELERY, noops=5_000, kills=True),
    _peer("arq", noops=5_000, naps=2_000, pickups=40, gap=0.5, kills=True),
    _peer(
        "rq, SimpleWorker", library="rq", environment={"BENCH_WORKER": "simple"}, noops=1_500, naps=0, enqueues=2_000
    ),
    _peer("rq", environment={"BENCH_WORKER": "fork"}, noops=250, naps=0, enqueues=2_000, kills=True),
)

PLAIN = _ours("Homeroom, plain ARQ function", "plain", noops=100_000)
LEDGERED = _ours("Homeroom, ledgered", "ledgered", environment={"BENCH_KIND": "bench.work"}, noops=60_000)
TRANSACTION = _ours("Homeroom, own transaction", "ledgered", environment={"BENCH_KIND": "bench.record"}, noops=6_000)
EFFECTS = _ours("Homeroom, effects as data", "ledgered", environment={"BENCH_KIND": "bench.effects"}, noops=40_000)
COMPUTING = _ours("Homeroom, 1 ms of processor time", "ledgered", environment={"BENCH_KIND": "bench.compute"})
HTTP = _ours("Homeroom, through HTTP", "over_http", environment={"BENCH_KIND": "bench.work"})
