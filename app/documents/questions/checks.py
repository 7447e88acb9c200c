"""What a careful reader would notice: numbers that are missing, counts that differ from what a section announces."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from app.documents.questions.blocks import Block, Cut
from app.documents.questions.points import announced_count, section_points
from app.documents.questions.sections import BONUS, Section
from app.documents.values import Notice, Question

DOUBTFUL = 0.7
CHINESE_NUMBERS = "一二三四五六七八九十"


def notices(cut: Cut, questions: list[Question]) -> list[Notice]:
    return [
        *_gaps(cut.blocks),
        *_left_out(cut.blocks),
        *_counts(cut),
        *_unnumbered(cut.sections),
        *_doubts(questions),
        *_twice(questions),
    ]


def _gaps(blocks: list[Block]) -> list[Notice]:
    found = [
        Notice(code="number_missing", detail=f"Question {number} was not found.")
        for before, after in pairwise(blocks)
        for number in range(before.number + 1, after.number)
    ]
    if any(block.group for block in blocks):
        found.append(Notice(code="numbers_begin_again", detail="Numbers begin again; ids name the run, as in S2Q1."))
    return found


def _left_out(blocks: list[Block]) -> list[Notice]:
    return [
        Notice(
            code="passage_not_read",
            detail=f"“{block.followed_by[:60]}” and what stands below it belong to no question.",
        )
        for block in blocks
        if block.followed_by
    ]


def _counts(cut: Cut) -> list[Notice]:
    found = []
    for section in cut.sections:
        announced = announced_count(section.words)
        counted = sum(block.section is section for block in cut.blocks)
        if announced is not None and counted and announced != counted:
            found.append(
                Notice(
                    code="count_differs",
                    detail=f"“{section.title[:60]}” announces {announced} questions; {counted} were found.",
                )
            )
    return found


def _unnumbered(sections: list[Section]) -> list[Notice]:
    """一、看拼音写词语（8分）, or a bonus: a heading that asks by itself, under which nothing is numbered."""
    return [
        Notice(
            code="section_without_questions",
            detail=f"“{section.title[:60]}” has no numbered question; add what it asks by hand.",
        )
        for section in sections
        if not section.blocks and _asks_itself(section, last=section is sections[-1])
    ]


def _asks_itself(section: Section, *, last: bool) -> bool:
    """第一部分 only holds sections; 五、习作 and a bonus are questions without a number."""
    if section.title[0] in CHINESE_NUMBERS or BONUS.match(section.title):
        return True
    filled = last or any(line.text.strip() for line in section.preamble)
    return filled and section_points(section.title) is not None


def _doubts(questions: list[Question]) -> list[Notice]:
    return [
        Notice(
            code="low_confidence",
            detail="Compare this question with the document.",
            file=question.source.file,
            page=question.source.page,
            question_id=question.question_id,
        )
        for question in questions
        if question.confidence < DOUBTFUL
    ]


def _twice(questions: list[Question]) -> list[Notice]:
    counted = Counter(question.question_id for question in questions)
    return [
        Notice(code="duplicate_number", detail=f"{name} was found {count} times.", question_id=name)
        for name, count in counted.items()
        if count > 1
    ]
