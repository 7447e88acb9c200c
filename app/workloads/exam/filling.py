"""Knowledge points by a model, where the tenant has one: what the paper states, or its words tell, stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

from app.documents.values import Notice
from app.workloads.exam.merging import Merged
from app.workloads.exam.schemas import DraftQuestion
from app.workloads.uploads.filling import DOUBTFUL, Asked, Opening, advise, doubts_of, filling
from app.workloads.uploads.parsing import Work


async def fill(work: Work, merged: Merged) -> None:
    """The questions of the paper, filled in place. A model that fails leaves them as they are, and a warning."""
    asked = [_asked(question) for question in merged.questions if question.stem and question.type is not None]
    if not asked:
        return
    async with filling(work) as filler:
        if filler is None:
            return
        advised = await advise(filler, asked)
        by_id = {question.question_id: question for question in merged.questions}
        for question_id, advice in advised.items():
            question = by_id[question_id]
            if points := advice.filled.get("knowledge_points"):
                question.knowledge_points, question.knowledge_points_from = points, "model"
            if advice.doubts:
                question.confidence = min(question.confidence, DOUBTFUL)
        notices = [*doubts_of(advised), *filler.warnings()]
    merged.warnings += [Notice.model_validate(each) for each in notices]


def _asked(question: DraftQuestion) -> Asked:
    assert question.type is not None
    # Terms that are merely found in the words are weaker than what a model makes of them.
    open_to: frozenset[Opening] = frozenset(
        {"knowledge_points"} if question.knowledge_points_from != "document" else ()
    )
    return Asked(
        question_id=question.question_id,
        text="\n".join(_lines(question)),
        where=f"question {question.number}",
        type=question.type,
        answer=question.answer,
        score=question.max_score if question.max_score_from == "paper" else None,
        open=open_to,
    )


def _lines(question: DraftQuestion) -> Sequence[str]:
    stated = [f"Answer: {question.answer}"] if question.answer else []
    options = [f"{option.key}. {option.text}" for option in question.options]
    return [line for line in (question.context, question.stem, *options, *stated) if line]
