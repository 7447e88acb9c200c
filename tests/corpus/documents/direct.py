"""The parser's tasks without their child process: for many documents in little time. What is read is the same."""

from __future__ import annotations

from typing import Any

from app.documents.limits import DEFAULT
from app.documents.sandbox.tasks import TASKS, Input
from app.documents.values import AnswerKey, Paper, ScoreSheets

Files = tuple[tuple[str, bytes], ...]


class NoRecogniser:
    def progress(self, step: str, done: int, of: int) -> None:
        pass

    def recognise(self, width: int, height: int, pixels: bytes, cells: object = None) -> list[dict[str, Any]]:
        raise AssertionError("this document needs no recogniser")


def _run(task: str, files: Files, **options: Any) -> Any:
    inputs = [Input(name, content) for name, content in files]
    return TASKS[task](inputs, {"ocr_mode": "auto", **options}, DEFAULT, NoRecogniser())


def paper_of(files: Files) -> Paper:
    return Paper.model_validate(_run("paper", files))


def sheets_of(files: Files, selected: str | None = None) -> ScoreSheets:
    return ScoreSheets.model_validate(_run("scores", files, selected=selected))


def key_of(files: Files) -> AnswerKey:
    return AnswerKey.model_validate(_run("answers", files))
