"""What part F compares the API with: one FastAPI route that checks the same body, and does nothing with it."""

from __future__ import annotations

import os

import uvicorn
from fastapi import FastAPI

from app.api.jobs.schemas import JobSubmission

app = FastAPI()


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/jobs", status_code=202)
async def submit(submission: JobSubmission) -> dict[str, str]:
    return {"kind": submission.kind}


if __name__ == "__main__":
    port = int(os.environ["PORT"])
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_config=None)
