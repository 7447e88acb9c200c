"""What the documents of assignments' jobs say besides."""

from app.workloads.assignment.upload import ASSIGNMENTS
from app.workloads.uploads.describing import describer

describe = describer(ASSIGNMENTS)
