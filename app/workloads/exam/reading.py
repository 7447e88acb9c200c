"""One exam's files to the document that its draft is drawn from."""

from __future__ import annotations

import asyncio
from typing import Any

from app.documents.failures import DocumentFailure
from app.documents.values import AnswerKey, Notice, Paper, ScoreSheets
from app.engine.outcomes import Fail
from app.workloads.exam.drawing import drawn, settled
from app.workloads.exam.filling import fill
from app.workloads.exam.merging import Merged, merge
from app.workloads.uploads.parsing import Parsed, Work


async def read_exam(work: Work) -> Parsed:
    """The paper, the marks and the key; any of the first two may be missing, not both."""
    if not work.sources("paper_files") and not work.sources("score_files"):
        raise Fail("no_files", "There is neither a paper nor a score sheet. Upload at least one of them.")
    paper = await _paper(work)
    sheets = await _sheets(work)
    key, trouble = await _key(work)
    merged = await asyncio.to_thread(merge, paper, sheets, key)  # a long paper is searched for its terms
    merged.warnings += trouble
    await work.progress("extract_answers", 60)
    await fill(work, merged)
    await work.progress("done", 100)
    return _parsed(work, paper, sheets, merged)


async def _paper(work: Work) -> Paper | None:
    await work.progress("extract_paper", 10)
    files = work.sources("paper_files")
    if not files:
        return None
    return await work.reader.parse_paper(
        files,
        ocr_mode=work.form["ocr_mode"],
        pages=work.pages,
        on_progress=work.between("extract_paper", 10, 35),
    )


async def _sheets(work: Work) -> ScoreSheets | None:
    await work.progress("parse_scores", 35)
    files = work.sources("score_files")
    if not files:
        return None
    return await work.reader.parse_scores(
        files,
        selected=work.selected,
        ocr_mode=work.form["ocr_mode"],
        pages=work.pages,
        on_progress=work.between("parse_scores", 35, 45),
    )


async def _key(work: Work) -> tuple[AnswerKey | None, list[Notice]]:
    """A key that cannot be read is a warning: a teacher can write it into the draft."""
    await work.progress("extract_answers", 45)
    files = work.sources("answer_files")
    if not files:
        return None, []
    progress, mode = work.between("extract_answers", 45, 60), work.form["ocr_mode"]
    try:
        return await work.reader.parse_answers(files, ocr_mode=mode, pages=work.pages, on_progress=progress), []
    except DocumentFailure as failure:
        detail = f"The answer key was not read: {failure}. {failure.cure}"
        return None, [Notice(code=failure.code, detail=detail, file=failure.file)]


def _parsed(work: Work, paper: Paper | None, sheets: ScoreSheets | None, merged: Merged) -> Parsed:
    form = work.form
    document: dict[str, Any] = settled(
        {
            "exam": {
                "exam_id": work.upload.record_id,
                "date": form.get("date"),
                "class_name": form.get("class_name"),
                "title": form.get("title") or (paper.title[:200] if paper is not None and paper.title else None),
                "language": form["language"],
            },
            "questions": merged.questions,
            "students": merged.students,
            "score_mode": sheets.score_mode if sheets is not None else None,
            "score_schema": sheets.score_schema.model_dump() if sheets is not None else None,
            "warnings": [warning.model_dump() for warning in merged.warnings],
        }
    )
    result = {
        "exam_id": work.upload.record_id,
        "questions": len(document["questions"]),
        "students": len(document["students"]),
        "score_mode": document["score_mode"],
        "warnings": len(drawn(document, {})["warnings"]),
        "needs_confirm": document["needs_confirm"],
    }
    return Parsed(document, result, {"paper.txt": paper.text} if paper is not None else {})
