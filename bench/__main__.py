"""Measure the engine beside other Python queues, on real servers of its own, and write docs/BENCHMARKS.md.

make bench                                       everything, about an hour
make bench ONLY=A,D PEERS=taskiq,arq RUNS=1      parts of it; what it finds is printed, nothing in docs/ changes
make bench ONLY=G UPDATE=1                       parts of it, written into docs/BENCHMARKS.md beside the others
python -m bench --report                         the same tables again, from bench/results/latest.json
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from bench import report
from bench.calm import Calm
from bench.contestants import OURS, PEERS, Contestant
from bench.environments import ROOT, WORKSHOP, make_environment, versions
from bench.figures import Figures, Results
from bench.machine import describe
from bench.ours.house import House
from bench.parts import PARTS
from bench.parts.bench import Bench
from bench.stage import BenchFailed, Stage

QUIET = 0.5  # the load average up to which a machine does nothing else
LATEST = ROOT / "bench" / "results" / "latest.json"


def main() -> int:
    options = _options()
    if options.report:
        report.write(Results.read(LATEST), ROOT / "docs")
        return 0
    if any(PARTS[letter].needs_wrk for letter in options.only) and shutil.which("wrk") is None:
        print("Part F needs the load generator wrk. Cure: apt-get install wrk, or leave F out with ONLY=A,B,C,D.")
        return 1
    peers = [peer for peer in PEERS if peer.library in options.peers]
    libraries = list(dict.fromkeys(peer.library for peer in peers))
    for library in libraries:
        make_environment(library)
    results = Results(_describe_machine(), versions([OURS, *libraries]), {}, Figures())
    _measure(options, peers, results)
    failed = any(taken["failures"] for taken in results.taken.values())
    if options.update and LATEST.exists():
        results = results.merged_into(Results.read(LATEST))
    whole = set(options.only) == set(PARTS) and len(peers) == len(PEERS) and options.scale >= 1
    if whole or options.update:
        results.write(LATEST)
        report.write(results, ROOT / "docs")
    else:
        print("\n" + report.text(results))
    return int(failed)


def _describe_machine() -> dict[str, Any]:
    WORKSHOP.mkdir(exist_ok=True)
    machine = describe(WORKSHOP)
    if machine["load_before"] > QUIET:
        print(f"This machine is busy (load average {machine['load_before']}): figures will be low, and ratios rough.")
    return machine


def _measure(options: argparse.Namespace, peers: Sequence[Contestant], results: Results) -> None:
    """All parts, one after the other; what is found is kept after each, in case that the run is ended."""
    with Stage(durable_redis=options.durable_redis) as stage:
        bench = Bench(stage, House(stage), results.figures, peers, runs=options.runs, scale=options.scale)
        for part in options.only:
            began = time.time()
            failures = _run_part(bench, part, options.patience)
            results.taken[part] = {
                "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(began)),
                "runs": options.runs,
                "seconds": round(time.time() - began),
                "scale": options.scale,
                "durable_redis": options.durable_redis,
                "failures": failures,
                "host": {
                    "taken": max(bench.calm.taken, default=None),
                    "anew": bench.calm.anew,
                    "patience": options.patience,
                },
            }
            results.write(WORKSHOP / "results.json")


def _run_part(bench: Bench, part: str, patience: float) -> list[str]:
    """What went wrong in it; the next part begins all the same."""
    bench.failures.clear()
    bench.calm = Calm(patience * 60)
    try:
        PARTS[part].run(bench)
    except BenchFailed as failure:
        bench.fail(part, failure)
    except Exception as error:
        traceback.print_exc()
        bench.fail(part, BenchFailed(f"the bench itself: {type(error).__name__}"))
    return [*bench.failures]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    letters, libraries = list(PARTS), list(dict.fromkeys(peer.library for peer in PEERS))
    parser.add_argument("--only", type=_among(letters), default=letters, help=f"parts: {','.join(letters)}")
    parser.add_argument("--peers", type=_among(libraries), default=libraries, help=f"of {','.join(libraries)}, or none")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--patience", type=float, default=10.0, help="minutes a part may wait for a host that is busy")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of jobs; less than 1 tries the bench")
    parser.add_argument("--durable-redis", action="store_true", help="an append-only file, flushed every second")
    parser.add_argument("--update", action="store_true", help="write the parts into docs/BENCHMARKS.md")
    parser.add_argument("--report", action="store_true", help="measure nothing; write the tables from the last results")
    return parser.parse_args()


def _among(known: Sequence[str]) -> Callable[[str], list[str]]:
    def read(words: str) -> list[str]:
        asked = [word.strip() for word in words.split(",") if word.strip() not in ("", "none")]
        if unknown := [word for word in asked if word not in known]:
            raise argparse.ArgumentTypeError(f"there is no {unknown[0]}; there are {', '.join(known)}")
        return [word for word in known if word in asked]

    return read


if __name__ == "__main__":
    sys.exit(main())
