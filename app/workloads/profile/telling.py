"""What a tutor may know of a student, in sentences: for a model as material, for the local provider to quote.

Each sentence names what people ask for in more than one word ("practise", "study", "review"): it is found by its words.
Notes are not told: they are a teacher's.
"""
# ruff: noqa: RUF001 - Chinese is written with its own punctuation

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.library.documents import Section
from app.library.readers import Language, Told
from app.workloads.profile.picture import Picture, PointView, ReviewView

LONGEST_LIST = 320  # characters: a sentence that is longer is not quoted as a whole


@dataclass(frozen=True, slots=True)
class _Words:
    """All that stands around the names."""

    locator: str
    weak: str
    focus: str
    medium: str
    strong: str
    review: str
    overall: str
    point: Callable[[PointView], str]
    question: Callable[[ReviewView], str]
    between: str
    end: str


_ENGLISH = _Words(
    locator="weak points, next focus, progress",
    weak="Weak points: ",
    focus="Next focus, to practise, study, revise and work on first: ",
    medium="Partly known, in between: ",
    strong="Strong points, strengths: ",
    review="Questions that went wrong, with mistakes and lost points, to review: ",
    overall="Overall progress: a mastery of {share} % over {results} results",
    point=lambda point: f"{point.name} (mastery {_percent(point.mastery)} %)",
    question=lambda review: (
        f"{review.question_id} of {review.source.title or review.source.id} "
        f"({review.score:g} of {review.max_score:g} points)"
    ),
    between=", ",
    end=".",
)
_CHINESE = _Words(
    locator="薄弱知识点、下一步重点、学习情况",
    weak="薄弱知识点：",
    focus="下一步重点，接下来应该先复习和练习：",
    medium="掌握一般的知识点：",
    strong="掌握好的知识点，强项：",
    review="做错的题目，需要订正的错题：",
    overall="总体学习情况：掌握程度{share}%，共{results}个成绩",
    point=lambda point: f"{point.name}（掌握{_percent(point.mastery)}%）",
    question=lambda review: (
        f"{review.source.title or review.source.id} {review.question_id}"
        f"（得{review.score:g}分，满分{review.max_score:g}分）"
    ),
    between="、",
    end="。",
)


def tell(picture: Picture) -> Told:
    """In both languages: names stay as they are, and the question's language decides which is read."""
    told: dict[Language, Sequence[Section]] = {}
    for language, words in (("en", _ENGLISH), ("zh", _CHINESE)):
        if lines := list(_lines(picture, words)):
            told[language] = [Section(text="\n".join(lines), locator=words.locator)]  # type: ignore[index]
    return told


def _lines(picture: Picture, words: _Words) -> Iterator[str]:
    by_standing = {
        standing: [each for each in picture.knowledge_points if each.standing == standing]
        for standing in ("weak", "medium", "strong")
    }
    listed = (
        (words.weak, map(words.point, by_standing["weak"])),
        (words.focus, picture.next_focus),
        (words.medium, map(words.point, by_standing["medium"])),
        (words.strong, map(words.point, reversed(by_standing["strong"]))),
        (words.review, map(words.question, picture.to_review)),
    )
    for opening, items in listed:
        if shown := words.between.join(_as_fit(items)):
            yield f"{opening}{shown}{words.end}"
    if picture.overall.mastery is not None:
        share, results = _percent(picture.overall.mastery), picture.overall.results
        yield words.overall.format(share=share, results=results) + words.end


def _as_fit(items: Iterable[str]) -> Iterator[str]:
    room = LONGEST_LIST
    for item in items:
        room -= len(item)
        if room < 0:
            return
        yield item


def _percent(share: float | None) -> int:
    return round(100 * (share or 0.0))
