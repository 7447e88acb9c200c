"""The routes under /jobs, by subject."""

from fastapi import APIRouter

from app.api.jobs import bulk, read, stream, submit, verbs

router = APIRouter()
for part in (submit, bulk, read, verbs, stream):
    router.include_router(part.router)
