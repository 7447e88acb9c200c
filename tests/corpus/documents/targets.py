"""What is asked of the readers: on both sets, in `make quality` and in the tests."""

from __future__ import annotations

TEXT_F1, TEXT_EXACT = 0.97, 0.95
SCANS_F1, SCANS_EXACT = 0.92, 0.88
MARKS_EXACT = 0.99
SILENT = 0.01
