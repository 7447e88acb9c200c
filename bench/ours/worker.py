"""A production worker of the bench's queue."""

import bench.ours.register  # noqa: F401 - before anything reads the registry
from app.core.worker.run import run
from bench.ours.spec import QUEUE

if __name__ == "__main__":
    run(QUEUE)
