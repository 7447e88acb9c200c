"""docs/BENCHMARKS.md and its plots, from results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figures, Results
from bench.plots import Bar, bars, lines
from bench.prose import CALM, FOOT, HEAD, MISSED, PROSE, WHY_MISSED
from bench.targets import PEER_NAMES, judge
from bench.text import pivot, table


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture of a part."""

    file: str
    draw: Callable[[Figures], str | None]


def text(results: Results, *, plots: frozenset[str] = frozenset()) -> str:
    """The whole page; only these plots are shown."""
    blocks = [HEAD, "## Targets", _targets(results), "## Where and with what", _circumstances(results)]
    for part in _in_order(results.figures.parts()):
        prose = PROSE[part]
        blocks += [f"## {prose.title}", prose.text]
        plot = PLOTS.get(part)
        if plot is not None and plot.file in plots:
            blocks.append(f"![{prose.title}](benchmarks/{plot.file})")
        blocks.append(pivot(results.figures, part, best_first=prose.best_first))
        if prose.after:
            blocks.append(prose.after)
        if failures := results.taken[part]["failures"]:
            blocks.append(f"Runs that do not count: {'; '.join(failures)}.")
    return "\n\n".join([*blocks, FOOT]) + "\n"


def write(results: Results, docs: Path) -> None:
    folder = docs / "benchmarks"
    folder.mkdir(exist_ok=True)
    drawn: set[str] = set()
    for part, plot in PLOTS.items():
        if part in results.figures.parts() and (picture := plot.draw(results.figures)) is not None:
            (folder / plot.file).write_text(picture)
            drawn.add(plot.file)
    (docs / "BENCHMARKS.md").write_text(text(results, plots=frozenset(drawn)))
    print(f"wrote docs/BENCHMARKS.md and {len(drawn)} plots")


def _targets(results: Results) -> str:
    verdicts = judge(results.figures)
    rows = [
        [f"**{verdict.part}** {verdict.target}", verdict.measured, "yes" if verdict.met else "**no**"]
        for verdict in verdicts
    ]
    missed = {f"{verdict.part} {verdict.target}" for verdict in verdicts if not verdict.met}
    reasons = [f"- {why}" for target, why in WHY_MISSED.items() if any(each.startswith(target) for each in missed)]
    return "\n\n".join(
        [table(["", "measured", "met"], rows), *(["\n".join([MISSED, "", *reasons])] if reasons else [])]
    )


def _circumstances(results: Results) -> str:
    machine = results.machine
    rows = [
        ["processor", f"{machine['cpu']}, {machine['cores']} cores, shared by client, workers and servers"],
        ["memory", f"{machine['memory_gib']:g} GiB"],
        ["system", machine["system"]],
        ["8 KiB made safe on disk (fdatasync)", f"{machine['flush_ms']:g} ms, p99 {machine['flush_p99_ms']:g} ms"],
        ["load average before the run", f"{machine['load_before']:g}"],
        *([library, ", ".join(f"{name} {version}" for name, version in known.items())]
          for library, known in results.versions.items()),
    ]  # fmt: skip
    machine_and_versions = "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])
    parts = [_taken(part, results.taken[part]) for part in _in_order(results.taken)]
    return "\n\n".join(
        [
            machine_and_versions,
            CALM,
            table(["part", "taken", "runs", "the host took", "taken anew", "patience, min"], parts),
        ]
    )


def _taken(part: str, taken: Mapping[str, Any]) -> list[str]:
    scale = "" if taken["scale"] == 1.0 else f", at {taken['scale']} of the jobs"
    durable = ", Redis with an append-only file" if taken["durable_redis"] else ""
    host = taken.get("host", {})
    share = f"{host['taken']:.1%}" if host.get("taken") is not None else ""
    return [
        part,
        f"{taken['at']}, in {taken['seconds']} s{scale}{durable}",
        f"{taken['runs']}",
        share,
        f"{host.get('anew', '')}",
        f"{host['patience']:g}" if "patience" in host else "",
    ]


def _in_order(parts: Iterable[str]) -> list[str]:
    """As the page tells of them."""
    return sorted(parts, key=list(PROSE).index)


def _bars(file: str, part: str, what: str, title: str, *, most_first: bool = True, logarithmic: bool = False) -> Plot:
    def draw(figures: Figures) -> str | None:
        rows = [
            Bar(each.who, *each.spread(), each.who not in PEER_NAMES, _beyond(each.note, each.median, each.unit))
            for each in sorted(figures.of(part, what), key=lambda each: each.median, reverse=most_first)
        ]
        return bars(title, figures.of(part, what)[0].unit, rows, logarithmic=logarithmic) if rows else None

    return Plot(file, draw)


def _beyond(note: str, seconds: float, unit: str) -> str:
    return f"> {seconds:.0f} {unit}" if note.startswith("not within") else ""


def _growth(figures: Figures) -> str | None:
    points = [
        (float(each.who.partition(" ")[0].replace(",", "")), each.median) for each in figures.of("G", "claim rate")
    ]
    return lines("Claim rate over the length of the queue", "jobs/s", points, across="jobs queued") if points else None


PLOTS = {
    "A": _bars("noop.svg", "A", "rate", "No-op jobs by the second"),
    "B": _bars("sleep.svg", "B", "rate", "Jobs of 50 ms by the second (ideal: 2,000)"),
    "C": _bars("enqueue.svg", "C", "50 at once", "Enqueued jobs by the second, 50 at once"),
    "D": _bars("pickup.svg", "D", "p50", "Pickup on an idle worker, median", most_first=False, logarithmic=True),
    "E": _bars("recovery.svg", "E", "back after", "From kill -9 to running again", most_first=False, logarithmic=True),
    "G": Plot("growth.svg", _growth),
}
