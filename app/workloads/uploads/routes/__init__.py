"""The routes of one kind of upload: each workload mounts its own.

router = upload_router(EXAMS)
"""

from __future__ import annotations

from fastapi import APIRouter

from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.routes import draft, files, read, submit, verbs


def upload_router(kind: UploadKind) -> APIRouter:
    """Everything below /<path>/uploads."""
    router = APIRouter()
    for part in (submit, read, draft, verbs, files):
        router.include_router(part.build(kind))
    return router
