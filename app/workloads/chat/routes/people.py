"""Whose conversations a caller may see. A key acts for everybody; a JWT that names a person for that one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from app.api.deps import Caller
from app.tenancy.access import NotYours
from app.workloads.chat.schemas import Part
from app.workloads.chat.sessions import Person

StudentId = Annotated[Part | None, Query(description="Only this student's")]
TeacherId = Annotated[Part | None, Query(description="Only this teacher's")]


async def get_person(caller: Caller, student_id: StudentId = None, teacher_id: TeacherId = None) -> Person:
    """Whose sessions are asked for, as far as the caller may see them: a student their own, a teacher students' too."""
    asked = Person("student", student_id) if student_id is not None else Person()
    if teacher_id is not None:
        asked = Person("teacher", teacher_id)
    own = Person(caller.role, caller.subject)
    if caller.role is None or asked == own or (caller.role == "teacher" and asked.role == "student"):
        return asked
    if asked.role is not None:
        raise NotYours("A student's token sees that student's sessions, a teacher's that teacher's and students'.")
    return own


AskedPerson = Annotated[Person, Depends(get_person)]
