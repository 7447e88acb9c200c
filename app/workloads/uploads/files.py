"""Where an upload's files are: one folder a job, with names that the server makes.

exams/<job_id>/sources/01.pdf    as it arrived
exams/<job_id>/attempts/2/...    what the second delivery of that job's parse wrote
exams/<job_id>/recognised/...    what was recognised of the sources' pages, for the next reading
exams/<job_id>/job.json          the job in words, for people and backups
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypedDict
from uuid import UUID

from app.workloads.uploads.models import Upload


class StoredFile(TypedDict):
    """A source as `Upload.files` remembers it."""

    number: int  # from 1, in the order of arrival
    field: str  # of the form
    name: str  # the owner's, to be shown and never to be opened
    stored: str  # below sources/: "01.pdf"
    bytes: int
    digest: str  # BLAKE2b, 32 bytes in hex


class Place(NamedTuple):
    """The folder of one job, as a key of the tenant's storage."""

    path: str  # of the kind: "exams"
    job_id: UUID

    @property
    def folder(self) -> str:
        return f"{self.path}/{self.job_id}"

    @property
    def job_file(self) -> str:
        return f"{self.folder}/job.json"

    def source(self, stored: str) -> str:
        return f"{self.folder}/sources/{stored}"

    def recognised(self, page: str) -> str:
        return f"{self.folder}/recognised/{page}.json"

    def attempt(self, number: int) -> str:
        return f"{self.folder}/attempts/{number}"


def sources_of(path: str, upload: Upload) -> list[tuple[StoredFile, str]]:
    """Each source with its key. They stay with the upload's first job, however often they are parsed."""
    place = Place(path, upload.job_id)
    return [(file, place.source(file["stored"])) for file in _files(upload)]


def _files(upload: Upload) -> list[StoredFile]:
    files: list[Any] = upload.files
    return files
