"""`run_upload_worker.py exam`, `run_upload_worker.py assignment`, or both without an argument."""

import argparse

from app.core.worker.run import run

UPLOADS = ("exam", "assignment")

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("queue", nargs="?", choices=UPLOADS)
    queue = parser.parse_args().queue
    run(*([queue] if queue else UPLOADS))
