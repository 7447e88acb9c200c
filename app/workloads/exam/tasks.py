"""Job functions of the exam queue."""

from __future__ import annotations

from app.engine.context import JobContext
from app.workloads.exam.reading import read_exam
from app.workloads.exam.upload import EXAMS
from app.workloads.uploads.parsing import parse_upload
from app.workloads.uploads.tools import Tools


async def parse(ctx: JobContext, tools: Tools) -> None:
    """The files of an exam to its draft."""
    await parse_upload(ctx, tools, EXAMS, read_exam)
