"""How reading a document can fail: a code for programs, a sentence and a cure for people."""

from __future__ import annotations

from app.kit.errors import HomeroomError

CURES = {
    "empty_file": "Upload the file again; it arrived without content.",
    "file_too_large": "Split the document, or ask your operator for a higher limit.",
    "too_many_files": "Upload fewer files at a time.",
    "unsupported_type": "Use pdf, docx, png, jpg, webp, bmp, md, txt, tex, html, xlsx, xls or csv.",
    "type_mismatch": "Save the document in the format that its name says, or rename it to what it is.",
    "polyglot": "Export the document anew from the program that made it.",
    "unsafe_archive": "Export the document anew from the program that made it.",
    "damaged": "Open the document, save it again, and upload the new file.",
    "encrypted": "Remove the password and upload the document again.",
    "too_many_pages": "Split the document into shorter ones.",
    "too_many_rows": "Keep the rows of one exam only, and upload the sheet again.",
    "image_too_large": "Scan at 200 to 300 dots per inch.",
    "no_text": "Check that the pages are not blank; scan them again at 200 to 300 dots per inch.",
    "ocr_unavailable": "Start the worker with the `documents` extra installed, or upload a document with a text layer.",
    "ocr_failed": "Try again; if it fails again, scan the page anew.",
    "too_much_memory": "Split the document, or save it with smaller images.",
    "too_slow": "Split the document, or save it in a simpler format.",
    "result_too_large": "Split the document.",
    "parser_died": "Save the document in another format and upload it again.",
    "parser_failed": "Save the document in another format and upload it again.",
    "no_questions": "Number the questions (1. 2. 3.), or upload a document that holds questions.",
    "no_scores": "Give the sheet a header row with names or student ids and one column per question or a total.",
}


class DocumentFailure(HomeroomError):
    """This document cannot be read, now or later; `code` is one of CURES."""

    def __init__(self, code: str, detail: str, *, file: str | None = None) -> None:
        super().__init__(f"{file}: {detail}" if file else detail)
        self.code = code
        self.detail = detail
        self.file = file

    @property
    def cure(self) -> str:
        return CURES[self.code]
