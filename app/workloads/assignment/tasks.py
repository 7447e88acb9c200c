"""Job functions of the assignment queue."""

from __future__ import annotations

from app.engine.context import JobContext
from app.workloads.assignment.service.reading import read_assignment
from app.workloads.assignment.upload import ASSIGNMENTS
from app.workloads.uploads.parsing import parse_upload
from app.workloads.uploads.tools import Tools


async def parse(ctx: JobContext, tools: Tools) -> None:
    """An upload's files to its draft."""
    await parse_upload(ctx, tools, ASSIGNMENTS, read_assignment)
