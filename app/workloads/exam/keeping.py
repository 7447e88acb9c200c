"""How long exams' uploads are kept; what was confirmed stays."""

from __future__ import annotations

from app.workloads.exam.upload import EXAMS
from app.workloads.uploads.keeping import expiry_of, tidying_of

expire, tidy = expiry_of(EXAMS), tidying_of(EXAMS)
