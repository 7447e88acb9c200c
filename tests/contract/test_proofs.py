"""The model of the lanes' protocol (docs/proofs): its smallest proof holds, and the mutants that matter are caught."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROVE = ROOT / "docs" / "proofs" / "prove.py"


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if shutil.which("spin") and shutil.which("cc"):
        return
    reason = "Spin or a C compiler is missing. Cure: apt install spin gcc libc6-dev"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def test_the_protocol_holds_and_every_mutant_is_caught_by_the_law_that_it_breaks() -> None:
    done = subprocess.run([sys.executable, str(PROVE), "--quick"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    results = re.findall(r"^(.+?)  .*  (holds|caught: \w+)$", done.stdout, re.MULTILINE)
    caught = [f"caught: {law}" for law in ("I4", "I5", "I2", "I1", "I2")]
    assert [result for _, result in results] == ["holds", *caught]


def test_what_is_not_as_it_must_be_is_no_proof() -> None:
    spec = importlib.util.spec_from_file_location("prove", PROVE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["prove"] = module
    spec.loader.exec_module(module)
    protocol, mutant = module.Check("protocol"), module.Check("mutant", breaks="I5")

    def verdict(check: Any, broken: str, *, complete: bool) -> tuple[bool, str]:
        outcome = module.Outcome(check, "1", "1", 0.0, broken, complete)
        return outcome.as_it_must, outcome.verdict

    assert verdict(protocol, "", complete=True) == (True, "holds")
    assert verdict(protocol, "", complete=False) == (False, "NOT FINISHED: out of memory or depth")
    assert verdict(protocol, "I2", complete=False) == (False, "BROKEN: I2")
    assert verdict(mutant, "I5", complete=False) == (True, "caught: I5")
    assert verdict(mutant, "I4", complete=False) == (False, "BROKEN: I4")
    assert verdict(mutant, "", complete=True) == (False, "NOT CAUGHT")


def test_every_file_that_the_model_names_is_there() -> None:
    named = set(re.findall(r"\b((?:ledger/|api/jobs/)?\w+\.(?:py|lua))\b", PROVE.with_name("lane.pml").read_text()))
    assert len(named) > 10
    places = [ROOT / "app", ROOT / "app" / "engine", ROOT / "app" / "engine" / "lua"]
    assert [name for name in sorted(named) if not any((place / name).is_file() for place in places)] == []
