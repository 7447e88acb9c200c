"""The form as the documentation shows it."""

from __future__ import annotations

from typing import Any

from app.workloads.uploads.kind import UploadKind


def form_schema(kind: UploadKind) -> dict[str, Any]:
    """The kind's own fields, and its files: one or many parts of the same name."""
    schema = kind.form.model_json_schema()
    fields = {name: _in_a_form(each) for name, each in schema.get("properties", {}).items()}
    files = {
        name: {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": int(required)}
        for name, required in kind.file_fields.items()
    }
    required = [*schema.get("required", ()), *(name for name, needed in kind.file_fields.items() if needed)]
    form = {"type": "object", "properties": fields | files, "required": required, "additionalProperties": False}
    if any(kind.file_fields[name] for name in kind.essential):
        return form
    choices = [{name: files[name] | {"minItems": 1}} for name in kind.essential]
    return form | {"anyOf": [{"type": "object", "properties": each, "required": [*each]} for each in choices]}


def _in_a_form(schema: dict[str, Any]) -> dict[str, Any]:
    """A field that may be left out is not one that may be null, which no form can say."""
    given = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    plain = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return plain | (given[0] if len(given) == 1 else {"anyOf": given} if given else {})
