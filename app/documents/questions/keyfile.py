"""An answer key in a file of its own."""

from __future__ import annotations

from app.documents.extract.furniture import without_furniture
from app.documents.extract.lines import Line
from app.documents.questions.answers import clean_answer
from app.documents.questions.key import parse_key
from app.documents.questions.wording import normalise
from app.documents.values import AnswerKey, KeyEntry, Notice

ALL_KEYS = list("ABCDEFGH")


def key_from_lines(lines: list[Line]) -> AnswerKey:
    for line in lines:
        line.text = normalise(line.text)
    entries = parse_key(without_furniture(lines))
    key = AnswerKey()
    seen: dict[str, str] = {}
    for entry in entries:
        name = f"Q{entry.number}{entry.part}" if not entry.group else f"S{entry.group + 1}Q{entry.number}{entry.part}"
        answer = clean_answer(entry.answer, ALL_KEYS if len(entry.answer) <= 2 * len(ALL_KEYS) else [])
        if answer is None:
            continue
        if name in seen:
            if seen[name] != answer:
                key.warnings.append(
                    Notice(code="answered_twice", detail=f"The key answers {name} twice.", question_id=name)
                )
            continue
        seen[name] = answer
        key.entries.append(KeyEntry(question_id=name, answer=answer, solution=entry.solution, max_score=entry.points))
    if not key.entries:
        key.warnings.append(Notice(code="no_answers", detail="No answers were found; write them as “1 A”, one a line."))
    return key
