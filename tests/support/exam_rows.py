"""One row in each of the exams' tables, for tests about what holds of every table."""

from __future__ import annotations

from datetime import date

from app.kit import json
from app.kit.db import Connection
from app.workloads.exam.record import figures_of
from app.workloads.exam.report.marks import Asked, Sat

EXAM = "exam-of-rows"

_EXAM = """
insert into exams (tenant_id, exam_id, upload_id, title, date, class_name, language, score_mode, figures)
values ($1, $2, gen_random_uuid(), 'Midterm', $3, '7A', 'en', 'question', $4::jsonb)
"""
_ROWS = (
    """insert into exam_questions (tenant_id, exam_id, question_id, position, number, stem, max_score)
       values ($1, $2, 'Q1', 1, '1', 'Why?', 2)""",
    """insert into exam_students (tenant_id, exam_id, student_id, position, class_name, total, max_total, rank)
       values ($1, $2, 's1', 1, '7A', 1, 2, 1)""",
    "insert into exam_results (tenant_id, exam_id, student_id, question_id, score) values ($1, $2, 's1', 'Q1', 1)",
)


async def fill_exams(connection: Connection, tenant: str) -> None:
    figures = figures_of([Asked("Q1", 2.0)], [Sat("s1", {"Q1": 1.0}, 1.0)], absent=0)
    await connection.execute(_EXAM, tenant, EXAM, date(2026, 4, 20), json.text(figures))
    for statement in _ROWS:
        await connection.execute(statement, tenant, EXAM)
