"""The way in: files to papers, marks and keys. One reader for each worker process; it owns the text recogniser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.documents.failures import DocumentFailure
from app.documents.limits import DEFAULT, Limits
from app.documents.ocr.memory import PageMemory, recognise_once
from app.documents.ocr.service import OcrService
from app.documents.sandbox.run import Bitmap, Cells, Progress, SourceFile, run
from app.documents.values import AnswerKey, OcrMode, Paper, ScoreSheets

Model = TypeVar("Model", bound=BaseModel)


async def quiet(_step: str, _done: int, _of: int) -> None:
    """Progress that nobody follows."""


class Reader:
    """`pages` remember what was recognised of the same files before."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self.limits = limits
        self.ocr = OcrService(limits)

    async def parse_paper(
        self,
        files: Sequence[SourceFile],
        *,
        ocr_mode: OcrMode = "auto",
        on_progress: Progress = quiet,
        pages: PageMemory | None = None,
    ) -> Paper:
        """The questions of a paper; its files are its parts, in their order."""
        return await self._read(Paper, "paper", files, {"ocr_mode": ocr_mode}, on_progress=on_progress, pages=pages)

    async def parse_scores(
        self,
        files: Sequence[SourceFile],
        *,
        selected: str | None = None,
        ocr_mode: OcrMode = "auto",
        on_progress: Progress = quiet,
        pages: PageMemory | None = None,
    ) -> ScoreSheets:
        """Students and their marks, by the recommended candidate or by the one that a teacher selected."""
        options = {"ocr_mode": ocr_mode, "selected": selected}
        return await self._read(ScoreSheets, "scores", files, options, on_progress=on_progress, pages=pages)

    async def parse_answers(
        self,
        files: Sequence[SourceFile],
        *,
        ocr_mode: OcrMode = "auto",
        on_progress: Progress = quiet,
        pages: PageMemory | None = None,
    ) -> AnswerKey:
        """The key that stands in files of its own."""
        return await self._read(
            AnswerKey, "answers", files, {"ocr_mode": ocr_mode}, on_progress=on_progress, pages=pages
        )

    async def close(self) -> None:
        await self.ocr.close()

    async def _read(
        self,
        model: type[Model],
        task: str,
        files: Sequence[SourceFile],
        options: dict[str, Any],
        *,
        on_progress: Progress,
        pages: PageMemory | None,
    ) -> Model:
        async def recognise(bitmap: Bitmap, cells: Cells) -> list[dict[str, Any]]:
            if pages is None:
                return await self.ocr.recognise(bitmap, cells)
            return await recognise_once(self.ocr, pages, bitmap, cells)

        found = await run(task, files, options, limits=self.limits, recognise=recognise, on_progress=on_progress)
        try:
            return model.model_validate(found)
        except ValidationError as error:  # a parser that was taken over, or that broke its word
            raise DocumentFailure("parser_died", f"the parser sent {error.error_count()} impossible values") from error
