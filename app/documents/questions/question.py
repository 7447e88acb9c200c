"""One block to one question, or to its parts: stem, options, answer, marks, and how sure all of it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.documents.questions.answers import Answered, clean_answer, take_answer
from app.documents.questions.blocks import Block
from app.documents.questions.kinds import (
    EMPTY_BRACKETS,
    JUDGE,
    take_kind_with_points,
    type_of,
    type_said_in,
    without_kind,
)
from app.documents.questions.marks import Style
from app.documents.questions.oddities import DOUBT, doubt, looks_like_options
from app.documents.questions.options import take_bullets, take_numbered, take_options
from app.documents.questions.parts import cut, find_answer_parts, find_parts
from app.documents.questions.points import (
    points_each,
    section_points,
    take_labelled_points,
    take_points,
    take_question_total,
)
from app.documents.questions.wording import BLANK_RUN, is_blank, joined, tidy, without_answer_space
from app.documents.values import Option, Question, QuestionType, Source

ANSWERED_BRACKET = re.compile(r"[（(]\s*([A-H](?:\s*[,，、]?\s*[A-H])*)\s*[）)](?=[\s。.?？]*$)")
# 下列物体中，（ C ）是光源。
ANSWERED_WITHIN = re.compile(r"（\s*([A-H]{1,8})\s*）|(?<=[\u4e00-\u9fff])\(\s*([A-H]{1,8})\s*\)")
JUDGED_BRACKET = re.compile(r"[（(]\s*([√×✓✗✔✘对错TF]|正确|错误|True|False)\s*[）)][\s。.]*$")
JUDGED_PLACE = re.compile(
    r"(?:\s{2,}|\n|(?<=[.!]) )[(（]?\s*(?:T\s*[/,]?\s*F|True\s*(?:[/,]|or)?\s*False)\s*[)）]?\s*$", re.IGNORECASE
)
TICKED = re.compile(r"\s*(?:[✓✔√]|[（(]\s*(?:correct|正确)\s*[）)])\s*$", re.IGNORECASE)
ANSWER_LINE = re.compile(r"(?:\n|\s{2,})(?:答|解)\s*[:：]?\s*[_＿\s]*$")
CHOICES: tuple[QuestionType, ...] = ("single", "multiple")
# What recognisers make of I, l, 0 and of lost spaces: theSl, a1l, unit0f.
MISREAD = re.compile(r"\b[a-z]{2,}[A-Z]|\b[B-Z]l\b|[a-z][01][a-z]|\b[a-z]+\|[a-z]")
TOTAL_BELOW = re.compile(r"\n\s*[\[(]\s*\d{1,3}\s*[\])]\s*$")
MUST_BE_ANSWERED = re.compile(r"\s\*$")  # a form's star
LONG_STEM = 3_000
ONE_LINE = 80


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
    each = points_each(block.section.words, _blanks_in(text), block.section.blocks) if block.section else None
    alone = section_points(block.section.title) if block.section and block.section.blocks == 1 else None
    context = tidy(joined(block.context)) or None
    name = f"Q{block.number}" if not block.group else f"S{block.group + 1}Q{block.number}"
    if style == "word":  # Q1: What ...?  A1: ...
        text = re.sub(rf"\n\s*A(?:ns)?\.?\s?{block.number}\s*(?:[:：)]|\.(?!\d))\s*", "\nAnswer: ", text)
    total, text = take_question_total(text)
    form, parts = find_parts(text, choice=shared.section in CHOICES)
    if not parts or take_numbered(take_answer(text), choice_expected=shared.section in CHOICES):
        question = _leaf(shared, name, text, context)
        stated = next((worth for worth in (question.max_score, total, each, alone) if worth), question.max_score)
        question.max_score = stated
        return [question]
    points, head = take_points(text[: parts[0].start], bracketed=bracketed)
    stem = tidy(head)
    found = _parts(shared, name, text, form, "\n".join(filter(None, (context, stem))) or None)
    for question in found:
        question.parent_id = name
        question.parent_score = (total or each or alone) if points is None else points
    return found


def _blanks_in(text: str) -> int:
    return len(BLANK_RUN.findall(text)) or len(EMPTY_BRACKETS.findall(text))


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
    if looks_like_options([question.stem for question in questions]):
        for question in questions:
            question.confidence = round(question.confidence * DOUBT, 3)
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
    kind_said, text = take_kind_with_points(text)
    labelled, text = take_labelled_points(text)
    labelled = kind_said if labelled is None else labelled
    said = take_answer(text)
    found = take_options(said.text, choice_expected=shared.section in CHOICES or _is_letter(said))
    if not found.options:
        found = take_numbered(said, choice_expected=shared.section in CHOICES) or take_bullets(
            said.text, shared.block.lines
        )
    points, stem = take_points(without_answer_space(found.stem), bracketed=shared.bracketed)
    if points is not None:
        stem = TOTAL_BELOW.sub("", stem)  # [7]: what the parts above are worth together
    if points is None and found.options:
        points, found.options[-1].text = take_points(found.options[-1].text, bracketed=shared.bracketed)
    if shared.section == "true_false" or JUDGE.search(stem):
        stem = JUDGED_PLACE.sub("", stem)
    stem, marked = _answer_in_place(without_answer_space(ANSWER_LINE.sub("", stem)), found.options)
    most = next((worth for worth in (labelled, points, shared.block.worth) if worth is not None), None)
    keys = [option.key for option in found.options]
    answer = chosen(found.answer or clean_answer(said.answer, keys), found.options) or marked or shared.block.told
    if answer is None and not keys and said.worked and "\n" not in said.worked and len(said.worked) <= ONE_LINE:
        answer = clean_answer(said.worked, [])  # Solution: x = 7
    stem = MUST_BE_ANSWERED.sub("", without_kind(tidy(stem)))
    return Question(
        question_id=name,
        number=name.rpartition("Q")[2],
        type=type_of(_asked(context, stem), found.options, answer, shared.section),
        stem=stem,
        options=found.options,
        answer=answer,
        solution=tidy(said.solution) if said.solution else None,
        max_score=most,
        confidence=round(
            shared.sure
            * found.sure
            * _completeness(shared, stem, found.options, answer, points_known=most is not None),
            3,
        ),
        source=Source(file=shared.block.lines[0].file, page=shared.block.lines[0].page),
        context=context,
        section=shared.block.section.title if shared.block.section else None,
        figures=sorted({f"{line.file}, page {line.page}" for line in shared.block.lines if line.figure}),
    )


def chosen(answer: str | None, options: list[Option]) -> str | None:
    """The letter of an answer that repeats the option's words."""
    if answer is None or not options:
        return answer
    keys: dict[str, str] = {}
    for option in options:
        keys[option.text.casefold()] = option.key if option.text.casefold() not in keys else ""
    whole = keys.get(answer.casefold())
    named = [keys.get(piece.strip().casefold(), "") for piece in re.split(r"[,，、;；]|\band\b|和", answer)]
    return whole or ("".join(sorted(set(named))) if named and all(named) else answer)


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
    within = list(ANSWERED_WITHIN.finditer(stem))
    found = ANSWERED_BRACKET.search(stem) or (
        within[0] if len(within) == 1 and not EMPTY_BRACKETS.search(stem) else None
    )
    if found and set(re.findall("[A-H]", found.group())) <= {option.key for option in options}:
        return stem[: found.start()] + "（  ）" + stem[found.end() :], "".join(re.findall("[A-H]", found.group()))
    return stem, None


def _sureness(block: Block, style: Style) -> float:
    recognised = min((line.score for line in block.lines if line.text.strip()), default=1.0)
    if any(line.score < 1 and MISREAD.search(line.text) for line in block.lines):
        recognised = min(recognised, DOUBT)
    sure = (0.75 if block.filled else 1.0) * (0.65 if block.before_gap else 1.0)
    return sure * (0.85 if style == "bare" else 1.0) * recognised


def _has_a_tail(block: Block, last: Option) -> bool:
    """What stands below the options, after an empty line, and was read as the end of the last one."""
    filled = [at for at, line in enumerate(block.lines) if line.text.strip() and not line.figure]
    if len(filled) < 2 or filled[-1] == filled[-2] + 1:  # noqa: PLR2004 - nothing stands apart
        return False
    words = tidy(block.lines[filled[-1]].text)
    return last.text != words and last.text.endswith(words)


def _completeness(shared: Shared, stem: str, options: list[Option], answer: str | None, *, points_known: bool) -> float:
    sure = 1.0
    if is_blank(stem):
        sure *= 0.4
    sure *= doubt(stem, options, points_known=points_known)
    if options and _has_a_tail(shared.block, options[-1]):
        sure *= DOUBT
    if not options and {line.text.strip() for line in shared.block.lines if line.bullet} & set(stem.split("\n")):
        sure *= 0.65  # options without letters, or an answer
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
