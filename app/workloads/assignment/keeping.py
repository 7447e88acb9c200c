"""How long uploads of assignments are kept; what was confirmed stays. A base worker loads this, and no more of them."""

from __future__ import annotations

from app.workloads.uploads.keeping import Kept, expiry_of, tidying_of

KEPT = Kept("assignment", "assignments", "assignment.parse")
expire, tidy = expiry_of(KEPT), tidying_of(KEPT)
