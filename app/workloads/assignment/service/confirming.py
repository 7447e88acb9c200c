"""What confirming a draft writes: the assignment, what chat may quote of it, and word to the students' profiles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.engine.outbox import SUBMIT, emit_all
from app.kit.failpoints import failpoint
from app.kit.words import language_of
from app.library import shelf
from app.library.documents import Document, Section
from app.workloads.assignment.schemas import DraftAssignment, DraftQuestion, Requirements
from app.workloads.assignment.store import put_assignment
from app.workloads.uploads.kind import Draft
from app.workloads.uploads.models import Upload

KEPT = {
    *("question_id", "number", "type", "stem", "context", "options", "answer", "solution", "score"),
    *("difficulty", "knowledge_points", "tags"),
}
LONGEST_TITLE = 200
MOST_ASSIGNED = 500  # knowledge points that one update of a profile takes
WORDS = {
    "en": {"question": "question {}", "core_concepts": "core concepts", "misconceptions": "common mistakes"},
    "zh": {"question": "第{}题", "core_concepts": "核心概念", "misconceptions": "易错点"},
}


async def confirm(session: AsyncSession, upload: Upload, draft: Draft) -> None:
    """In the transaction that marks the upload confirmed."""
    assignment = DraftAssignment.model_validate(draft["assignment"])
    questions = [DraftQuestion.model_validate(question) for question in draft["questions"]]
    requirements = Requirements.model_validate(draft["requirements"])
    title = (assignment.title or requirements.topic or assignment.assignment_id)[:LONGEST_TITLE]
    values = _values(upload, assignment, questions, requirements) | {"title": title}
    await put_assignment(session, upload.tenant_id, values, [each.model_dump(include=KEPT) for each in questions])
    failpoint("assignment.stored")
    language = _language(upload, questions)
    await shelf.put(session, upload.tenant_id, _material(assignment, title, questions, requirements, language))
    failpoint("assignment.shelved")
    now: datetime | None = await session.scalar(select(func.now()))
    assert now is not None
    await emit_all(session, upload.tenant_id, SUBMIT, _told(assignment, title, questions, now))


def _values(
    upload: Upload, assignment: DraftAssignment, questions: list[DraftQuestion], requirements: Requirements
) -> dict[str, Any]:
    scores = [question.score for question in questions if question.score is not None]
    return {
        **assignment.model_dump(),
        "upload_id": upload.job_id,
        "requirements": requirements.model_dump(mode="json"),
        "question_count": len(questions),
        "total_score": sum(scores) if len(scores) == len(questions) else None,
    }


def _language(upload: Upload, questions: list[DraftQuestion]) -> str:
    given: str = upload.form["language"]
    return given if given != "auto" else language_of(" ".join(question.stem for question in questions))


def _material(
    assignment: DraftAssignment,
    title: str,
    questions: list[DraftQuestion],
    requirements: Requirements,
    language: str,
) -> Document:
    """What is asked, and what to mind. Never the answers: students ask the chat about work that they are to do."""
    words = WORDS[language]
    sections = [
        Section(_asked(question), words["question"].format(_number(question)), tuple(question.knowledge_points))
        for question in questions
    ]
    sections += [
        Section("\n".join(listed), words[name])
        for name, listed in (
            ("core_concepts", requirements.core_concepts),
            ("misconceptions", requirements.misconceptions),
        )
        if listed
    ]
    return Document(
        kind="assignment",
        id=assignment.assignment_id,
        title=title,
        sections=tuple(sections),
        scope=assignment.scope,
        class_name=assignment.class_name,
        student_ids=tuple(assignment.student_ids),
        language=language,
    )


def _asked(question: DraftQuestion) -> str:
    options = (f"{option.key}. {option.text}" for option in question.options)
    return "\n".join(filter(None, (question.context, question.stem, *options)))


def _number(question: DraftQuestion) -> str:
    return question.number or question.question_id


def _told(
    assignment: DraftAssignment, title: str, questions: list[DraftQuestion], now: datetime
) -> list[dict[str, Any]]:
    """For each student that the assignment is given to by name, what it is about."""
    if assignment.scope != "student":
        return []
    points = list(dict.fromkeys(point for question in questions for point in question.knowledge_points))
    common = {
        "name": None,
        "class_name": assignment.class_name,
        "source": {
            "kind": "assignment",
            "id": assignment.assignment_id,
            "title": title,
            "as_of": now.isoformat(),  # of two confirmations the later counts, in whatever order they are delivered
        },
        "occurred_at": f"{assignment.date.isoformat()}T00:00:00+00:00",
        "results": [],
        "assigned": points[:MOST_ASSIGNED],
        "notes": [],
        "misconceptions": [],
    }
    return [
        {"kind": "profile.update", "input": common | {"student_id": student_id}}
        for student_id in assignment.student_ids
    ]
