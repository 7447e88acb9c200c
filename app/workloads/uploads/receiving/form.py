"""The fields beside the files: from texts to the kind's checked form."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from app.workloads.uploads.kind import UploadKind
from app.workloads.uploads.refusals import InvalidForm

SEVERAL = (list, tuple, set, frozenset, Sequence)


def check_form(kind: UploadKind, texts: Mapping[str, Sequence[str]], with_files: Iterable[str]) -> BaseModel:
    """The form, or everything that is wrong with it. What is sent empty, as browsers do, counts as not sent."""
    fields = kind.form.model_fields
    given = {name: [text for text in values if text] for name, values in texts.items()}
    several = {name for name in given if _takes_several(fields[name].annotation)}
    values = {name: found if name in several else found[0] for name, found in given.items() if found}
    have = set(with_files)
    repeated = [name for name, found in given.items() if len(found) > 1 and name not in several]
    lacking = [name for name, required in kind.file_fields.items() if required and name not in have]
    problems = [problem(name, "Sent more than once") for name in repeated]
    problems += [problem(name, "A file is required") for name in lacking]
    if not lacking and not have.intersection(kind.essential):
        fields_named = " or ".join(kind.essential)
        problems.append(problem(kind.essential[0], f"A file is required in {fields_named}; others only add to these"))
    try:
        form = kind.form.model_validate(values)
    except ValidationError as error:
        raise invalid([*problems, *_pointed(error)]) from None
    if problems:
        raise invalid(problems)
    return form


def problem(field: str, detail: str) -> dict[str, Any]:
    return {"pointer": "/body/" + field.replace("~", "~0").replace("/", "~1"), "detail": detail}


def invalid(problems: list[dict[str, Any]]) -> InvalidForm:
    return InvalidForm(f"The form has {len(problems)} problem(s).", errors=problems)


def _pointed(error: ValidationError) -> list[dict[str, Any]]:
    return [
        {"pointer": "/body" + "".join(f"/{part}" for part in each["loc"]), "detail": each["msg"]}
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _takes_several(annotation: Any) -> bool:
    """Whether a field of this type holds a list, whatever it is wrapped in."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType, Annotated):
        return any(_takes_several(each) for each in get_args(annotation))
    return (origin or annotation) in SEVERAL
