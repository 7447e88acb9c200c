"""What the documents of this queue's jobs say besides; only the API loads it."""

from __future__ import annotations

from app.workloads.exam.upload import EXAMS
from app.workloads.uploads.describing import describer

describe = describer(EXAMS)
