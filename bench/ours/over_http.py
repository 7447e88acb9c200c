"""A producer that posts to the API over one keep-alive connection, with Python's own client."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ACCEPTED = 202


@contextmanager
def producer() -> Iterator[Any]:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
    connection.connect()
    headers = {"Authorization": f"Bearer {os.environ['BENCH_API_KEY']}", "Content-Type": "application/json"}

    def enqueue(job: int, seconds: float) -> None:
        body = json.dumps({"kind": os.environ["BENCH_KIND"], "input": {"job": job, "seconds": seconds}})
        connection.request("POST", "/v1/jobs", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != ACCEPTED:
            raise SystemExit(f"a submit was answered {answer.status}: {text.decode()}")

    try:
        yield enqueue
    finally:
        connection.close()
