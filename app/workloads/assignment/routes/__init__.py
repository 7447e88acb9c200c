"""Assignments over HTTP."""

from app.api.wire import edge_router
from app.workloads.assignment.routes import records
from app.workloads.assignment.upload import ASSIGNMENTS
from app.workloads.uploads.routes import upload_router

router = edge_router()
router.include_router(upload_router(ASSIGNMENTS))  # first: /assignments/uploads is no assignment's address
router.include_router(records.router)
