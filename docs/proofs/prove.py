"""Check lane.pml with Spin: what must hold holds, and each mutant is caught by the law that it breaks.

`make prove` runs all of it; `--quick` is what a test has time for. Needs `spin` and a C compiler, nothing else.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).with_name("lane.pml")
MEMORY = 1900  # MiB for each of two runs at once
PACKAGES = ("spin", "gcc", "libc6-dev")

# Spin names a broken assertion by its text, with all macros spread out. Each of the model's has a part of its own.
LAWS = {
    "seq[job[w]]>=begun_seq": "I3",
    "<=1)": "I2",
    "phase[0]==4": "I2",
    "attempt[job[w]]==hint[w]": "I4",
    "effective[job[w]]": "I5",
    "lease[token[found]]": "lease",
    "requests==0": "I1",
    "acceptance cycle": "I1",
}


@dataclass(frozen=True)
class Check:
    """One exhaustive search."""

    title: str
    jobs: int = 2
    faults: int = 1
    wishes: int = 1
    without: tuple[str, ...] = ()  # the macros of a mutant
    breaks: str = ""  # the law that it breaks; the protocol itself breaks none
    outside: bool = False  # one of the jobs is outside lanes
    fair: bool = False  # I1 as liveness, every process weakly fair
    quick: bool = False

    @property
    def bounds(self) -> str:
        return f"{self.jobs} jobs, {self.faults} faults, {self.wishes} wishes"

    @property
    def macros(self) -> list[str]:
        names = [f"JOBS={self.jobs}", f"FAULTS={self.faults}", f"WISHES={self.wishes}", *self.without]
        return [f"-D{name}" for name in names + ["OUTSIDE=0"] * self.outside + ["EVENTUALLY"] * self.fair]


CHECKS = (
    Check("the protocol", jobs=2, faults=2),  # the longest one first: two run at a time
    Check("the protocol", jobs=3),
    Check("a lane's tail is noted", faults=2, without=("NOTE_TAILS",), breaks="I1"),
    Check("the protocol, one job outside lanes", outside=True),
    Check("the protocol, one job outside lanes", faults=2, wishes=0, outside=True),
    Check("the protocol", wishes=2),
    Check("the protocol", wishes=0, quick=True),
    Check("the protocol, fairly: every job ends", fair=True),
    Check("the protocol, fairly: every job ends", jobs=3, faults=0, fair=True),
    Check("finish asks only for job and status", without=("NO_FENCE",), breaks="I4", quick=True),
    Check("the same, and I4 is not asked for", without=("NO_FENCE", "ONLY_I5"), breaks="I5", quick=True),
    Check("begin looks at no lane, no unique index", without=("NO_HEAD_CHECK",), breaks="I2", quick=True),
    Check("begin looks at no lane", without=("INDEX_ALONE",), breaks="I3"),
    Check("a note of any epoch is believed", wishes=0, outside=True, without=("TRUST_NOTES",), breaks="I1", quick=True),
    Check("a note's epoch is looked at, not locked", wishes=0, outside=True, without=("LATE_NOTES",), breaks="I1"),
    Check("rescue asks for the worker only", without=("RESCUE_BY_OWNER",), breaks="lease"),
    Check("what starts late is not adopted", wishes=0, without=("START_UNADOPTED",), breaks="I2", quick=True),
    Check("an adoption looks at every run", without=("ADOPT_ALL",), breaks="I1"),
    Check("adoptions pass one another", faults=2, without=("ADOPT_BESIDE",), breaks="I2"),
)


@dataclass(frozen=True)
class Outcome:
    check: Check
    states: str
    depth: str
    seconds: float
    broken: str  # the law, or Spin's own words where they name none
    complete: bool

    @property
    def as_it_must(self) -> bool:
        return self.broken == self.check.breaks and (self.complete or bool(self.check.breaks))

    @property
    def verdict(self) -> str:
        if self.as_it_must:
            return f"caught: {self.broken}" if self.broken else "holds"
        if self.broken:
            return f"BROKEN: {self.broken}"
        return "NOT CAUGHT" if self.complete else "NOT FINISHED: out of memory or depth"


def search(check: Check) -> Outcome:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="homeroom-proof-") as folder:
        _run(folder, "spin", "-a", *check.macros, str(MODEL))
        kind = ["-DNFAIR=4"] if check.fair else ["-DSAFETY"]
        pace = "-O0" if check.quick else "-O2"  # what is small takes longer to compile than to run
        _run(folder, "cc", pace, "-w", *kind, "-DNOREDUCE", f"-DMEMLIM={MEMORY}", "-o", "pan", "pan.c")
        said = _run(folder, "./pan", "-m200000", "-w24", *(["-a", "-f"] if check.fair else []))
    states = re.search(r"^\s*([\d.e+]+) states, stored", said, re.MULTILINE)
    depth = re.search(r"depth reached (\d+)", said)
    error = re.search(r"^pan:\d+: (.*)$", said, re.MULTILINE)
    return Outcome(
        check,
        states=f"{int(float(states[1])):,}" if states else "?",
        depth=depth[1] if depth else "?",
        seconds=time.monotonic() - started,
        broken=_law(error[1]) if error else "",
        complete="errors: 0" in said and "Search not completed" not in said and "too small" not in said,
    )


def _law(error: str) -> str:
    return next((law for part, law in LAWS.items() if part in error), error)


def _run(folder: str, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0 and command[0] != "./pan":
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def need_tools() -> None:
    """Debian's packages, installed where that is ours to do."""
    if shutil.which("spin") and shutil.which("cc"):
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", *PACKAGES], check=True, stdout=subprocess.DEVNULL)
    if not (shutil.which("spin") and shutil.which("cc")):
        raise SystemExit(f"The model checker Spin or a C compiler is missing. Cure: apt install {' '.join(PACKAGES)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smallest proof, and the mutants that matter most")
    checks = [check for check in CHECKS if check.quick or not parser.parse_args().quick]
    need_tools()
    print(f"{'build':<40} {'bounds':<26} {'states':>11} {'depth':>6} {'s':>5}  result", flush=True)
    held = True
    with ThreadPoolExecutor(max_workers=2) as both:
        for outcome in both.map(search, checks):
            check = outcome.check
            held = held and outcome.as_it_must
            counts = f"{outcome.states:>11} {outcome.depth:>6} {outcome.seconds:5.0f}"
            print(f"{check.title:<40} {check.bounds:<26} {counts}  {outcome.verdict}", flush=True)
    print("proved, within these bounds" if held else "NOT proved")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
