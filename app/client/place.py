"""Where the API is, and with which key: said, in the environment, or written down by `homeroom up` beside us."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    url: str
    key: str


class NoPlace(Exception):
    """Nothing says where to go; the text is for people."""


def find_place(url: str | None, key: str | None, ready_file: Path) -> Place:
    """What was said wins over HOMEROOM_URL and HOMEROOM_API_KEY, and these over the file of a running `homeroom up`."""
    url, key = url or os.environ.get("HOMEROOM_URL"), key or os.environ.get("HOMEROOM_API_KEY")
    if url and key:
        return Place(url, key)
    known = _read(ready_file)
    found_url, found_key = url or known.get("url"), key
    if not key and found_url == known.get("url"):  # a key goes only to the place that it was written down with
        found_key = known.get("api_key")
    if not found_url or not found_key:
        missing = "--key (or HOMEROOM_API_KEY)" if found_url else "--url and --key (or HOMEROOM_URL, HOMEROOM_API_KEY)"
        raise NoPlace(f"Where to? There is no {ready_file}. Start `homeroom up` in this directory, or give {missing}.")
    return Place(found_url, found_key)


def _read(ready_file: Path) -> dict[str, str]:
    try:
        known = json.loads(ready_file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
