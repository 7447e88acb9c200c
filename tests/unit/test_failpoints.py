"""Failpoints: what arms them, and that nothing happens while none is armed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.kit import failpoints
from app.kit.failpoints import arm, failpoint
from tests.support.processes import ROOT


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


@pytest.mark.parametrize("spec", ["place", "place=", "place=explode", "place=kill:x", "place=kill:-1", "a=kill,b"])
def test_what_is_no_failpoint_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="is no failpoint"):
        arm(spec)


def test_an_empty_text_disarms() -> None:
    arm("here=kill")
    arm("")
    assert failpoints._armed == {}
    failpoint("here")


def test_other_places_are_passed() -> None:
    arm("elsewhere=kill, there=hang")
    failpoint("here")


@pytest.mark.parametrize(("spec", "passes"), [("here=kill", 0), ("here=kill:3", 2), ("there=kill,here=kill:2", 1)])
def test_a_kill_ends_the_process_at_the_nth_pass(spec: str, passes: int) -> None:
    program = f"from app.kit.failpoints import *\narm({spec!r})\nfor _ in range(5):\n  failpoint('here')\n  print('x')"
    ended = subprocess.run([sys.executable, "-u", "-c", program], cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode == -9
    assert ended.stdout.count(b"x") == passes


def test_a_hang_stops_there() -> None:
    program = "from app.kit.failpoints import *\narm('here=hang')\nprint('before')\nfailpoint('here')\nprint('after')"
    with subprocess.Popen([sys.executable, "-u", "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"before\n"
        assert process.poll() is None
        process.kill()
        assert process.stdout.read() == b""
