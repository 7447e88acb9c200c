"""The types of an assignment's fields, and the several ways in which people write them."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.workloads.uploads.labels import Level

MOST_STUDENTS = 500
MOST_QUESTIONS = 500

Scope: TypeAlias = Literal["public", "class", "student"]
Language: TypeAlias = Literal["auto", "en", "zh"]
Difficulty: TypeAlias = Level
ClassLevel: TypeAlias = Literal["weak", "medium", "strong", "mixed"]
Preference: TypeAlias = Literal["A", "B", "C", "D", "E", "F"]


def _is_free(name: str) -> str:
    if name == "uploads":
        raise PydanticCustomError("reserved", "`uploads` stands for something else in addresses")
    return name


RecordId: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"), AfterValidator(_is_free)
]
# As chat takes them: what separates the parts of a lane's name and of addresses is not for them.
StudentId: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x20\x7f-\xa0:/?#%\\]+$")
]
Line: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
Text: TypeAlias = Annotated[str, StringConstraints(max_length=200_000, pattern=r"^[^\x00]*$")]
ShortText: TypeAlias = Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Points: TypeAlias = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
Point: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
Lines: TypeAlias = Annotated[list[Line], Field(max_length=30)]

_CLASS_LEVELS: dict[str, ClassLevel] = {
    **dict.fromkeys(("weak", "low", "\u504f\u5f31", "\u5f31"), "weak"),
    **dict.fromkeys(("medium", "average", "\u4e2d\u7b49", "\u4e00\u822c"), "medium"),
    **dict.fromkeys(("strong", "high", "\u8f83\u5f3a", "\u5f3a"), "strong"),
    **dict.fromkeys(("mixed", "\u6df7\u5408"), "mixed"),
}
_PREFERENCES: dict[str, Preference] = {
    **dict.fromkeys(("a", "basics", "\u57fa\u7840"), "A"),
    **dict.fromkeys(("b", "stretch", "\u63d0\u5347"), "B"),
    **dict.fromkeys(("c", "everyday", "\u751f\u6d3b\u5e94\u7528"), "C"),
    **dict.fromkeys(("d", "inquiry", "\u63a2\u7a76"), "D"),
    **dict.fromkeys(("e", "quiz", "\u5c0f\u6d4b\u9a8c"), "E"),
    **dict.fromkeys(("f", "mistakes", "\u9519\u9898\u53cd\u601d"), "F"),
}


def class_level_of(value: Any) -> Any:
    """Its English word for the Chinese one; whatever else it is stays, and is judged as it stands."""
    return _CLASS_LEVELS.get(value.strip().lower(), value) if isinstance(value, str) else value


def preferences_of(value: Any) -> Any:
    """Letters, for letters, words, or both as in `A basics`."""
    given = split(value)
    return [_letter(each) for each in given] if isinstance(given, list) else given


def _letter(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    return _PREFERENCES.get(word) or _PREFERENCES.get(re.sub(r"^[a-f][\s.:)]*", "", word), value)


def split(value: Any) -> Any:
    """A form has no lists: names may come in one field, with commas between them."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        return value
    parts: list[Any] = []
    for each in given:
        parts += re.split(r"[,\uff0c;\uff1b\n]", each) if isinstance(each, str) else [each]
    return [part.strip() if isinstance(part, str) else part for part in parts if part not in ("", " ")]


def each_once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def emptied(value: Any) -> Any:
    """An empty field of a form is a field that was left out."""
    return None if isinstance(value, str) and not value.strip() else value


def in_utc(moment: datetime.datetime) -> datetime.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


Moment: TypeAlias = Annotated[datetime.datetime, AfterValidator(in_utc)]
StudentIds: TypeAlias = Annotated[
    list[StudentId],
    BeforeValidator(split),
    AfterValidator(each_once),
    Field(max_length=MOST_STUDENTS),
]
Preferences: TypeAlias = Annotated[list[Preference], BeforeValidator(preferences_of), AfterValidator(each_once)]
