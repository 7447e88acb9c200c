"""What the engine set out to show, and whether the figures show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.contestants import COMPUTING, EFFECTS, HTTP, LEDGERED, PEERS, PLAIN, TRANSACTION
from bench.figures import Figure, Figures
from bench.parts.first_token import THROUGH
from bench.parts.http import BARE, BULK_ROUTE, SUBMIT
from bench.parts.memory import OURS as OUR_WORKER
from bench.parts.throughput import NAP
from bench.text import number

IDEAL_NAPS = 100 / NAP
PEER_NAMES = frozenset(peer.name for peer in PEERS)


@dataclass(frozen=True, slots=True)
class Verdict:
    part: str
    target: str
    measured: str
    met: bool


def judge(figures: Figures) -> list[Verdict]:
    """One verdict for each target whose figures are there; medians, unless the target speaks of every trial."""
    return [verdict for rule in RULES for verdict in rule(figures)]


def fastest_peer(figures: Figures) -> Figure | None:
    """Of part A."""
    peers = [each for each in figures.of("A", "rate") if each.who in PEER_NAMES]
    return max(peers, key=lambda each: each.median, default=None)


def _noop(figures: Figures) -> Iterator[Verdict]:
    fastest = fastest_peer(figures)
    for contestant, least in ((PLAIN, 4.0), (LEDGERED, 3.0), (TRANSACTION, 0.6), (EFFECTS, 2.0)):
        ours = figures.find("A", contestant.name, "rate")
        if ours is None or fastest is None:
            continue
        times = ours.median / fastest.median
        target = f"{contestant.name}: at least {least:g}x the fastest peer"
        told = f"{times:.2f}x ({number(ours.median)} to {fastest.who}'s {number(fastest.median)} jobs/s)"
        yield Verdict("A", target, told, times >= least)


def _sleep(figures: Figures) -> Iterator[Verdict]:
    for contestant in (PLAIN, LEDGERED):
        if (ours := figures.find("B", contestant.name, "rate")) is not None:
            share = ours.median / IDEAL_NAPS
            target = f"{contestant.name}: at least 95 % of the ideal {number(IDEAL_NAPS)} jobs/s"
            yield Verdict("B", target, f"{share:.1%}", share >= 0.95)


def _pickup(figures: Figures) -> Iterator[Verdict]:
    for contestant, what, most in ((LEDGERED, "p50", 2.5), (LEDGERED, "p99", 6.0), (HTTP, "p50", 4.0)):
        target = f"{contestant.name}: {what} at most {most:g} ms, submit included"
        yield from _at_most(figures.find("D", contestant.name, what), most, target)


def _recovery(figures: Figures) -> Iterator[Verdict]:
    for figure in figures.of("E", "back after"):
        name, _, lease = figure.who.partition(", lease ")
        if name != LEDGERED.name:
            continue
        most = float(lease.removesuffix(" s")) + 2
        within = sum(value <= most for value in figure.values)
        target = f"lease {lease}: back within lease + 2 s in every trial"
        told = f"{within} of {len(figure.values)} within {most:g} s, the longest {max(figure.values):.1f} s"
        yield Verdict("E", target, told, within == len(figure.values))


def _http(figures: Figures) -> Iterator[Verdict]:
    if (share := figures.find("F", SUBMIT, "share of the bare route")) is not None:
        bare, ours = figures.find("F", BARE, "rate"), figures.find("F", SUBMIT, "rate")
        assert bare is not None
        assert ours is not None
        told = f"{share.median:.1%} ({number(ours.median)} to {number(bare.median)} requests/s)"
        yield Verdict("F", "at least 60 % of the bare route", told, share.median >= 0.6)
    bulks = [each for each in figures.of("F", "rate") if each.who.startswith(BULK_ROUTE)]
    if bulks:
        best = max(bulks, key=lambda each: each.median)
        told = f"{number(best.median)} jobs/s with {best.who.rpartition(', ')[2]}"
        yield Verdict("F", "in bulk at least 30,000 jobs/s", told, best.median >= 30_000)


def _growth(figures: Figures) -> Iterator[Verdict]:
    depths = list(dict.fromkeys(each.who for each in figures.of("G")))
    for what in dict.fromkeys(each.what for each in figures.of("G")):
        small, great = (figures.find("G", depth, what) for depth in (depths[0], depths[-1]))
        if small is None or great is None or small is great:
            continue
        most = 1.5 if what.startswith("GET") else 1.3
        slower = small.median / great.median if great.unit == "jobs/s" else great.median / small.median
        target = f"{what}: {depths[-1]} at most {most:g}x slower than {depths[0]}"
        told = f"{slower:.2f}x ({number(small.median)} and {number(great.median)} {great.unit})"
        yield Verdict("G", target, told, slower <= most)
    for figure in figures.of("G", "all back after FLUSHALL"):
        target = f"{figure.who}: back in Redis within 60 s of a FLUSHALL"
        yield Verdict("G", target, f"{figure.median:.1f} s", figure.median <= 60)


def _lanes(figures: Figures) -> Iterator[Verdict]:
    if (rate := figures.find("H", LEDGERED.name, "rate")) is not None:
        yield Verdict("H", "at least 10,000 jobs/s", f"{number(rate.median)} jobs/s", rate.median >= 10_000)


def _fairness(figures: Figures) -> Iterator[Verdict]:
    if (jain := figures.find("I", LEDGERED.name, "Jain index")) is not None:
        target = "Jain index at least 0.99 while all are backlogged"
        yield Verdict("I", target, f"{jain.median:.4f}", jain.median >= 0.99)
    if (longest := figures.find("I", LEDGERED.name, "quiet job, longest")) is not None:
        wait, most = max(longest.values), 2000 * NAP
        target = f"a quiet tenant's job begins within two job durations ({most:g} ms)"
        yield Verdict("I", target, f"{wait:.0f} ms at most", wait <= most)


def _workers(figures: Figures) -> Iterator[Verdict]:
    for contestant in (LEDGERED, COMPUTING):
        if (gain := figures.find("J", contestant.name, "two workers to one")) is not None:
            target = f"{contestant.name}: two workers at least 1.2x one"
            yield Verdict("J", target, f"{gain.median:.2f}x", gain.median >= 1.2)


def _first_token(figures: Figures) -> Iterator[Verdict]:
    more = figures.find("K", THROUGH, "more than directly, p50")
    yield from _at_most(more, 15.0, "first words at most 15 ms after those of the model asked directly, p50")


def _console(figures: Figures) -> Iterator[Verdict]:
    for what, most in (("first paint", 1000.0), ("slowest answer", 200.0)):
        slowest = max(figures.of("console", what), key=lambda each: each.median, default=None)
        target = f"console: {what} of every view within {most:g} ms at a million jobs"
        yield from _at_most(slowest, most, target)


def _budget(figures: Figures) -> Iterator[Verdict]:
    for what, most in (("SQL statements", 6.0), ("Redis calls", 4.0)):
        target = f"at most {most:g} {what} for 100 ledgered no-op jobs"
        yield from _at_most(figures.find("budget", LEDGERED.name, f"{what} for 100 jobs"), most, target)


def _memory(figures: Figures) -> Iterator[Verdict]:
    target = "idle worker at most 1.5x a stock arq worker with the same client libraries"
    yield from _at_most(figures.find("memory", OUR_WORKER, "to a stock worker"), 1.5, target)


def _at_most(figure: Figure | None, most: float, target: str) -> Iterator[Verdict]:
    if figure is not None:
        measured = f"{number(figure.median)} {figure.unit}".strip()
        yield Verdict(figure.part, target, measured, figure.median <= most)


RULES = (
    _noop,
    _sleep,
    _pickup,
    _recovery,
    _http,
    _growth,
    _lanes,
    _fairness,
    _workers,
    _first_token,
    _console,
    _budget,
    _memory,
)
