"""`python -m app.core.openapi`: the API's description of itself, for docs/openapi.json. No server is asked."""

from __future__ import annotations

import os
import sys

import orjson
from fastapi import FastAPI

from app.core.config import load_settings
from app.core.setup import create_app

# The description does not depend on these, but no application can be made without them.
_NOWHERE = {"DATABASE_URL": "postgresql://nobody@localhost/nothing", "REDIS_URL": "redis://localhost"}


def snapshot(app: FastAPI) -> bytes:
    """The document in one order, so that a difference is a difference."""
    return orjson.dumps(app.openapi(), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> None:
    for name, value in _NOWHERE.items():
        os.environ.setdefault(name, value)
    sys.stdout.buffer.write(snapshot(create_app(load_settings())))


if __name__ == "__main__":
    main()
