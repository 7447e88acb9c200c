"""docs/openapi.json is what the application says of itself: a change of the contract is seen in review."""

from __future__ import annotations

import difflib
from itertools import islice

from app.core.openapi import snapshot
from tests.support.processes import ROOT
from tests.support.routes import unserved_app

SNAPSHOT = ROOT / "docs" / "openapi.json"
SHOWN = 60  # lines of a difference


def test_the_description_is_the_one_that_was_accepted() -> None:
    accepted, found = SNAPSHOT.read_bytes().decode(), snapshot(unserved_app()).decode()
    difference = difflib.unified_diff(
        accepted.splitlines(), found.splitlines(), "docs/openapi.json", "the application", lineterm="", n=4
    )
    shown = "\n".join(islice(difference, SHOWN))
    assert not shown, f"The API's description has changed. Cure: run `make openapi` and review the diff.\n{shown}"


def test_a_snapshot_does_not_depend_on_the_run() -> None:
    assert snapshot(unserved_app()) == snapshot(unserved_app())
