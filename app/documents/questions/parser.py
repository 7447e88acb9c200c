"""A paper's lines to its questions, with the key applied and everything doubtful said."""

from __future__ import annotations

from app.documents.extract.lines import Line
from app.documents.questions.answers import clean_answer
from app.documents.questions.blocks import Block, Cut, cut_paper
from app.documents.questions.checks import notices
from app.documents.questions.key import bare_title, parse_key
from app.documents.questions.key_tables import Entry
from app.documents.questions.kinds import type_with_answer
from app.documents.questions.points import BRACKETED, BRACKETED_FIRST
from app.documents.questions.question import chosen, read_block
from app.documents.values import KeyEntry, Notice, Paper, Question

OFTEN = 2


def parse_questions(lines: list[Line]) -> Paper:
    cut = cut_paper(lines)
    bracketed = sum(bool(BRACKETED.search(line.text)) for block in cut.blocks for line in block.lines) >= OFTEN
    bracketed |= _begin_with_points(cut.blocks)
    read = [(block, read_block(block, bracketed=bracketed, style=cut.style)) for block in cut.blocks]
    questions = [question for _, found in read for question in found]
    entries = parse_key(cut.key, _groups(cut))
    unknown = apply_key(read, entries)
    return Paper(
        title=cut.title,
        questions=questions,
        answer_key=[
            KeyEntry(question_id=question.question_id, answer=question.answer, solution=question.solution)
            for question in questions
            if question.answer is not None
        ],
        warnings=[*notices(cut, questions), *_key_notices(cut, questions, unknown)],
    )


def _groups(cut: Cut) -> dict[str, int]:
    """The run of numbers under each heading, where numbers begin again."""
    if not any(block.group for block in cut.blocks):
        return {}
    titled = [(bare_title(block.section.title), block.group) for block in cut.blocks if block.section]
    return {title: group for title, group in reversed(titled) if title}


def _begin_with_points(blocks: list[Block]) -> bool:
    """1. [2] Which ...? 2. [3] Why ...? Were it a part, every question would begin with (1)."""
    texts = [next((line.text for line in block.lines if line.text.strip()), "") for block in blocks]
    first = [found[1] for text in texts if (found := BRACKETED_FIRST.match(text))]
    return len(first) > OFTEN and 2 * len(first) > len(blocks) and len(set(first)) > 1


def apply_key(read: list[tuple[Block, list[Question]]], entries: list[Entry]) -> list[Entry]:
    """Give each answer to its question; what has none is returned."""
    counted_again = any(block.group for block, _ in read)
    unknown = []
    for entry in entries:
        questions = next(
            (
                found
                for block, found in read
                if block.number == entry.number and (not counted_again or block.group == entry.group)
            ),
            [],
        )
        if not _give(questions, entry):
            unknown.append(entry)
    return unknown


def _give(questions: list[Question], entry: Entry) -> bool:
    if not questions:
        return False
    parent = questions[0].parent_id
    if parent is None:
        _set(questions[0], entry, f"{entry.part} " if entry.part else "")
        return True
    if not entry.part:
        return False
    for question in questions:
        if question.question_id == f"{parent}{entry.part}":
            _set(question, entry, "")
            return True
    return False


def _set(question: Question, entry: Entry, label: str) -> None:
    answer = chosen(clean_answer(entry.answer, [option.key for option in question.options]), question.options)
    if label and answer:  # parts of an answer to a question that has none
        question.answer = f"{question.answer}; {label}{answer}" if question.answer else f"{label}{answer}"
    elif question.answer is None:
        question.answer = answer
    elif answer is not None and answer != question.answer:
        question.confidence = min(question.confidence, 0.5)
    question.solution = question.solution or entry.solution
    if question.max_score is None:
        question.max_score = entry.points
    question.type = type_with_answer(question.type, question.answer, choice=bool(question.options))


def _key_notices(cut: Cut, questions: list[Question], unknown: list[Entry]) -> list[Notice]:
    found = [
        Notice(code="key_without_question", detail=f"The key answers {entry.number}{entry.part}, which was not found.")
        for entry in unknown
    ]
    missing = [question for question in questions if question.answer is None]
    if cut.key and missing:
        found += [
            Notice(
                code="question_without_key",
                detail="The key has no answer to this question.",
                question_id=question.question_id,
            )
            for question in missing
        ]
    return found
