"""The parts of the bench, one module each: what is done, and which figures come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.parts import (
    budget,
    console,
    enqueue,
    fairness,
    first_token,
    growth,
    http,
    lanes,
    memory,
    pickup,
    profile,
    recovery,
    scale,
    throughput,
)
from bench.parts.bench import Bench


@dataclass(frozen=True, slots=True)
class Part:
    run: Callable[[Bench], None]
    needs_wrk: bool = False


PARTS = {
    "A": Part(throughput.run_a),
    "B": Part(throughput.run_b),
    "C": Part(enqueue.run),
    "D": Part(pickup.run),
    "E": Part(recovery.run),
    "F": Part(http.run, needs_wrk=True),
    "G": Part(growth.run),
    "H": Part(lanes.run),
    "I": Part(fairness.run),
    "J": Part(scale.run),
    "K": Part(first_token.run),
    "console": Part(console.run),
    "memory": Part(memory.run),
    "budget": Part(budget.run),
    "profile": Part(profile.run, needs_wrk=True),
}
