"""The files of an upload to what its draft is drawn from: by rules, then by the model where the tenant has one."""

from __future__ import annotations

import asyncio
from typing import Any

from app.documents.failures import DocumentFailure
from app.documents.values import AnswerKey, Notice, Paper
from app.workloads.assignment.service.advice import fill_draft
from app.workloads.assignment.service.drafting import draft_of
from app.workloads.assignment.service.requirements import missing_of
from app.workloads.uploads.filling import filling
from app.workloads.uploads.labels import said_of
from app.workloads.uploads.parsing import Parsed, Work

EXTRACT, PARSE, FILL, READ = 10, 55, 75, 95  # percents at which a step begins


async def read_assignment(work: Work) -> Parsed:
    await work.progress("extract", EXTRACT)
    paper = await work.reader.parse_paper(
        work.sources("files"),
        ocr_mode=work.form["ocr_mode"],
        pages=work.pages,
        on_progress=work.between("extract", EXTRACT, PARSE),
    )
    await work.progress("parse", PARSE)
    key = await _read_key(work)
    draft = await asyncio.to_thread(draft_of, paper, key)  # searching a long text holds the loop up
    await _fill(work, draft, paper)
    await work.progress("parse", READ)
    return Parsed(document=draft, result=_result(draft), texts={"document.txt": paper.text})


async def _read_key(work: Work) -> AnswerKey:
    """Answers in files of their own. A key that cannot be read costs its answers, not the assignment."""
    if not work.sources("answer_files"):
        return AnswerKey()
    try:
        return await work.reader.parse_answers(
            work.sources("answer_files"),
            ocr_mode=work.form["ocr_mode"],
            pages=work.pages,
            on_progress=work.between("parse", PARSE, FILL),
        )
    except DocumentFailure as failure:
        return AnswerKey(warnings=[Notice(code=failure.code, detail=f"{failure}. {failure.cure}", file=failure.file)])


async def _fill(work: Work, draft: dict[str, Any], paper: Paper) -> None:
    async with filling(work) as filler:
        if filler is None:
            return
        await work.progress("parse", FILL)
        said = await asyncio.to_thread(said_of, paper)
        excerpts = {question.question_id: each.excerpt for question, each in zip(paper.questions, said, strict=True)}
        await fill_draft(filler, draft, paper, excerpts)


def _result(draft: dict[str, Any]) -> dict[str, Any]:
    return {
        "question_count": len(draft["questions"]),
        "requirements_missing": missing_of(draft["requirements"]),
        "warnings": len(draft["warnings"]),
    }
