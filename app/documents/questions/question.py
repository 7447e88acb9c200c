"""One block to one question, or to its parts: stem, options, answer, marks, and how sure all of it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.documents.questions.answers import Answered, clean_answer, take_answer
from app.documents.questions.blocks import Block
from app.documents.questions.kinds import EMPTY_BRACKETS, type_of, type_said_in
from app.documents.questions.marks import Style
from app.documents.questions.options import take_options
from app.documents.questions.parts import cut, find_answer_parts, find_parts
from app.documents.questions.points import points_each, section_points, take_labelled_points, take_points
from app.documents.questions.wording import BLANK_RUN, is_blank, joined, tidy, without_answer_space
from app.documents.values import Option, Question, QuestionType, Source

ANSWERED_BRACKET = re.compile(r"[（(]\s*([A-H](?:\s*[,，、]?\s*[A-H])*)\s*[）)](?=[\s。.?？]*$)")
JUDGED_BRACKET = re.compile(r"[（(]\s*([√×✓✗✔✘对错TF])\s*[）)][\s。.]*$")
TICKED = re.compile(r"\s*(?:[✓✔√]|[（(]\s*(?:correct|正确)\s*[）)])\s*$", re.IGNORECASE)
ANSWER_LINE = re.compile(r"(?:\n|\s{2,})(?:答|解)\s*[:：]?\s*[_＿\s]*$")
CHOICES: tuple[QuestionType, ...] = ("single", "multiple")
LONG_STEM = 3_000


@dataclass(slots=True)
class Shared:
    """What the leaves of one block have in common."""

    block: Block
    section: QuestionType | None
    bracketed: bool
    sure: float


def read_block(block: Block, *, bracketed: bool, style: Style) -> list[Question]:
    text = joined(block.lines)
    section = block.section.kind if block.section else None
    shared = Shared(block, type_said_in(text) or section, bracketed, _sureness(block, style))
    each = points_each(block.section.words) if block.section else None
    alone = section_points(block.section.title) if block.section and block.section.blocks == 1 else None
    context = tidy(joined(block.context)) or None
    name = f"Q{block.number}" if not block.group else f"S{block.group + 1}Q{block.number}"
    form, parts = find_parts(text, choice=shared.section in CHOICES)
    if not parts:
        question = _leaf(shared, name, text, context)
        question.max_score = (each or alone) if question.max_score is None else question.max_score
        return [question]
    points, head = take_points(text[: parts[0].start], bracketed=bracketed)
    stem = tidy(head)
    found = _parts(shared, name, text, form, "\n".join(filter(None, (context, stem))) or None)
    for question in found:
        question.parent_id = name
        question.parent_score = (each or alone) if points is None else points
    return found


def _parts(shared: Shared, name: str, text: str, form: str, context: str | None) -> list[Question]:
    _, parts = find_parts(text, choice=shared.section in CHOICES)
    pieces, told = _answers_told_together([part.label for part in parts], cut(text, parts))
    questions: list[Question] = []
    for index, (part, piece) in enumerate(zip(parts, pieces, strict=True)):
        _, inner = find_parts(piece, avoid=form.split("_", maxsplit=1)[0])
        part_name = name + part.label
        if inner:
            _, head = take_points(piece[: inner[0].start], bracketed=shared.bracketed)
            stem = tidy(head)
            questions += _inner(shared, part_name, piece, "\n".join(filter(None, (context, stem))) or None)
        else:
            question = _leaf(shared, part_name, piece, context)
            question.answer = question.answer or told.answer[index]
            question.solution = question.solution or told.solution[index]
            questions.append(question)
    return questions


def _inner(shared: Shared, name: str, text: str, context: str | None) -> list[Question]:
    _, parts = find_parts(text)
    pieces, told = _answers_told_together([part.label for part in parts], cut(text, parts))
    questions = []
    for index, (part, piece) in enumerate(zip(parts, pieces, strict=True)):
        question = _leaf(shared, name + part.label, piece, context)
        question.answer = question.answer or told.answer[index]
        question.solution = question.solution or told.solution[index]
        questions.append(question)
    return questions


@dataclass(slots=True)
class _Told:
    answer: list[str | None]
    solution: list[str | None]


def _answers_told_together(labels: list[str], pieces: list[str]) -> tuple[list[str], _Told]:
    """After the last part: "Answer: (a) 5 (b) 6" belongs to all of them."""
    told = _Told([None] * len(pieces), [None] * len(pieces))
    last = take_answer(pieces[-1])
    for field, said in (("answer", last.answer), ("solution", last.solution)):
        parts = find_answer_parts(said or "")
        if said and [part.label for part in parts] == labels:
            setattr(told, field, [tidy(piece).rstrip(";；,，") for piece in cut(said, parts)])
            pieces = [*pieces[:-1], last.text]
    return pieces, told


def _leaf(shared: Shared, name: str, text: str, context: str | None) -> Question:
    labelled, text = take_labelled_points(text)
    said = take_answer(text)
    found = take_options(said.text, choice_expected=shared.section in CHOICES or _is_letter(said))
    points, stem = take_points(found.stem, bracketed=shared.bracketed)
    if points is None and found.options:
        points, found.options[-1].text = take_points(found.options[-1].text, bracketed=shared.bracketed)
    stem, marked = _answer_in_place(without_answer_space(ANSWER_LINE.sub("", stem)), found.options)
    keys = [option.key for option in found.options]
    answer = clean_answer(said.answer, keys) or marked
    stem = tidy(stem)
    return Question(
        question_id=name,
        number=name.rpartition("Q")[2],
        type=type_of(_asked(context, stem), found.options, answer, shared.section),
        stem=stem,
        options=found.options,
        answer=answer,
        solution=tidy(said.solution) if said.solution else None,
        max_score=points if labelled is None else labelled,
        confidence=round(shared.sure * found.sure * _completeness(shared, stem, found.options, answer), 3),
        source=Source(file=shared.block.lines[0].file, page=shared.block.lines[0].page),
        context=context,
        section=shared.block.section.title if shared.block.section else None,
        figures=sorted({f"{line.file}, page {line.page}" for line in shared.block.lines if line.figure}),
    )


def _asked(context: str | None, stem: str) -> str:
    """The words that ask; for a part they may stand before it: 求：（1）速度."""
    lead = (context or "").rstrip().rpartition("\n")[2]
    return f"{lead[-40:]} {stem}" if lead.endswith((":", "：")) else stem


def _is_letter(said: Answered) -> bool:
    return bool(said.answer and re.fullmatch(r"[（(]?[a-hA-H][）)]?\.?", said.answer.strip()))


def _answer_in_place(stem: str, options: list[Option]) -> tuple[str, str | None]:
    """A teacher's copy may have the letter in the brackets, or a tick behind the right option."""
    if not options:
        judged = JUDGED_BRACKET.search(stem)
        return (f"{stem[: judged.start()]}（  ）", judged.group(1)) if judged else (stem, None)
    ticked = [option for option in options if TICKED.search(option.text)]
    if ticked and len(ticked) < len(options):
        for option in ticked:
            option.text = TICKED.sub("", option.text)
        return stem, "".join(option.key for option in ticked)
    found = ANSWERED_BRACKET.search(stem)
    if found and set(re.findall("[A-H]", found.group(1))) <= {option.key for option in options}:
        return stem[: found.start()] + "（  ）" + stem[found.end() :], "".join(re.findall("[A-H]", found.group(1)))
    return stem, None


def _sureness(block: Block, style: Style) -> float:
    recognised = min((line.score for line in block.lines if line.text.strip()), default=1.0)
    sure = (0.75 if block.filled else 1.0) * (0.65 if block.before_gap else 1.0)
    return sure * (0.85 if style == "bare" else 1.0) * recognised


def _completeness(shared: Shared, stem: str, options: list[Option], answer: str | None) -> float:
    sure = 1.0
    if is_blank(stem):
        sure *= 0.4
    if len(stem) > LONG_STEM:
        sure *= 0.6
    if shared.section in CHOICES and not options:
        sure *= 0.6
    if shared.section == "blank" and not BLANK_RUN.search(stem) and not EMPTY_BRACKETS.search(stem):
        sure *= 0.65  # the recogniser does not see lines to write on
    if options and (len(options) == 1 or any(not option.text for option in options)):
        sure *= 0.7
    if any(take_options(option.text).options for option in options):
        sure *= 0.5  # the options of two questions
    if options and answer and not re.fullmatch(r"[A-H]+", answer):
        sure *= 0.7
    return sure
