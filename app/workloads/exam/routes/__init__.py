"""The routes of exams, by subject. Uploads come first: their fixed path is no exam's id."""

from fastapi import APIRouter

from app.workloads.exam.routes import exams, report
from app.workloads.exam.upload import EXAMS
from app.workloads.uploads.routes import upload_router

router = APIRouter()
for part in (upload_router(EXAMS), exams.router, report.router):
    router.include_router(part)
