"""The production API, which knows the bench's queue."""

import sys

import bench.ours.register  # noqa: F401 - before anything reads the registry
from app.cli import main

if __name__ == "__main__":
    sys.exit(main(["api"]))
