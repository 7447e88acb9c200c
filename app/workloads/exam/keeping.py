"""How long exams' uploads are kept; what was confirmed stays. A base worker loads this, and nothing else of exams."""

from __future__ import annotations

from app.workloads.uploads.keeping import Kept, expiry_of, tidying_of

KEPT = Kept("exam", "exams", "exam.parse")
expire, tidy = expiry_of(KEPT), tidying_of(KEPT)
