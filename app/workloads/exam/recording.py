"""Exams into Postgres: a handful of statements, however large the class."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import json
from app.workloads.exam.record import Record, Row


async def replace(session: AsyncSession, tenant_id: str, record: Record) -> tuple[datetime, list[str]]:
    """Store the exam in place of the one that has its id; when that was, and who had marks there and has none here."""
    key = {"tenant_id": tenant_id, "exam_id": record.exam_id}
    confirmed_at: datetime = (await session.execute(_PUT_EXAM, key | _exam_values(record))).scalar_one()
    former = set(await session.scalars(_FORMER_STUDENTS, key))
    for table in ("exam_results", "exam_students", "exam_questions"):
        await session.execute(_CLEAR[table], key)
    for statement, rows in (
        (_ADD_QUESTIONS, _question_rows(record)),
        (_ADD_STUDENTS, record.students),
        (_ADD_RESULTS, _result_rows(record)),
    ):
        await session.execute(statement, key | {"rows": json.text(rows)})
    return confirmed_at, sorted(former - {student.student_id for student in record.marked})


def _exam_values(record: Record) -> dict[str, Any]:
    return {
        "upload_id": record.upload_id,
        "title": record.title,
        "date": record.date,
        "class_name": record.class_name,
        "language": record.language,
        "score_mode": record.score_mode,
        "figures": json.text(record.figures),
    }


def _question_rows(record: Record) -> list[Row]:
    columns = {"question_id", "number", "type", "stem", "context", "options", "answer", "solution", "max_score"}
    return [
        question.model_dump(include={*columns, "knowledge_points"}) | {"position": at}
        for at, question in enumerate(record.questions, start=1)
    ]


def _result_rows(record: Record) -> list[Row]:
    """One for each student and question with marks; none for who was absent."""
    return [
        {
            "student_id": student.student_id,
            "question_id": question.question_id,
            "score": student.mark(question),
            "answer": student.answers.get(question.question_id),
            "exempt": not student.counts(question),
        }
        for student in record.marked
        for question in record.asked
    ]


# The row's lock makes two that confirm the same exam wait for each other, so their rows never mix. Clock time: what
# began to wait earlier may well be what is confirmed later.
_PUT_EXAM = text(
    """
    insert into exams (tenant_id, exam_id, upload_id, title, date, class_name, language, score_mode, figures)
    values (:tenant_id, :exam_id, :upload_id, :title, :date, :class_name, :language, :score_mode,
            cast(:figures as jsonb))
    on conflict (tenant_id, exam_id) do update set
        upload_id = excluded.upload_id, title = excluded.title, date = excluded.date, class_name = excluded.class_name,
        language = excluded.language, score_mode = excluded.score_mode, figures = excluded.figures,
        confirmed_at = clock_timestamp()
    returning confirmed_at
    """
)
_FORMER_STUDENTS = text(
    "select student_id from exam_students where tenant_id = :tenant_id and exam_id = :exam_id and total is not null"
)
_CLEAR = {
    table: text(f"delete from {table} where tenant_id = :tenant_id and exam_id = :exam_id")  # noqa: S608 - our names
    for table in ("exam_results", "exam_students", "exam_questions")
}
_ADD_QUESTIONS = text(
    """
    insert into exam_questions (tenant_id, exam_id, question_id, position, number, type, stem, context, options, answer,
                                solution, max_score, knowledge_points)
    select :tenant_id, :exam_id, question_id, position, number, type, stem, context, options, answer,
           solution, max_score, knowledge_points
    from jsonb_to_recordset(cast(:rows as jsonb)) as r (
        question_id text, position integer, number text, type text, stem text, context text, options jsonb, answer text,
        solution text, max_score double precision, knowledge_points text[])
    """
)
_ADD_STUDENTS = text(
    """
    insert into exam_students (tenant_id, exam_id, student_id, position, name, class_name, absent, total, max_total,
                               rank, weak_points)
    select :tenant_id, :exam_id, student_id, position, name, class_name, absent, total, max_total, rank, weak_points
    from jsonb_to_recordset(cast(:rows as jsonb)) as r (
        student_id text, position integer, name text, class_name text, absent boolean, total double precision,
        max_total double precision, rank integer, weak_points jsonb)
    """
)
_ADD_RESULTS = text(
    """
    insert into exam_results (tenant_id, exam_id, student_id, question_id, score, answer, exempt)
    select :tenant_id, :exam_id, student_id, question_id, score, answer, exempt
    from jsonb_to_recordset(cast(:rows as jsonb)) as r (
        student_id text, question_id text, score double precision, answer text, exempt boolean)
    """
)
