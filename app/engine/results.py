"""What a job's result must be to be kept."""

from __future__ import annotations

from typing import Any

from app.engine.outcomes import Fail
from app.kit import json

RESULT_LIMIT = 1_000_000  # bytes; larger results belong in a file


def result_text(value: Any) -> str:
    """The result as it is stored. One that cannot be kept is a final failure: it would be no better next time."""
    try:
        result = json.dumps(value)
    except TypeError as error:
        raise Fail("result_not_json", str(error)) from None
    if len(result) > RESULT_LIMIT:
        raise Fail("result_too_large", f"The result has {len(result)} bytes; {RESULT_LIMIT} are kept inline.")
    return result.decode()
