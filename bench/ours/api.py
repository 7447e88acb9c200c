"""The production API, which knows the bench's queue."""

import sys

import bench.ours  # noqa: F401 - registers the queue, before anything reads the registry
from app.cli import main

if __name__ == "__main__":
    sys.exit(main(["api"]))
