"""Names: of several things in a sentence, and of a student in the records."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.workloads.exam.schemas import DraftStudent

NAMED = 12  # ids that a sentence lists
LONGEST_ID = 80

# As chat and profiles take a student's id: what separates the parts of addresses and lanes is not for them.
_NOT_FOR_IDS = re.compile(r"[\x00-\x20\x7f-\xa0:/?#%\\]+")


def named(ids: Iterable[str]) -> str:
    """A list for a sentence, not longer than one reads."""
    listed = list(ids)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more


def filed_as(student: DraftStudent, class_name: str | None) -> str | None:
    """The id that a student's results stand under: the sheet's, else class and name; None where neither is known."""
    if not student.student_id and not student.name:
        return None
    known_by = student.student_id or "_".join(filter(None, (student.class_name or class_name, student.name)))
    return _NOT_FOR_IDS.sub("-", known_by).strip("-")[:LONGEST_ID] or None
