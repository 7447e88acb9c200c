"""Files become a job, or leave nothing behind: over the real API, into a real folder, with a kind of the tests' own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from app.kit.db import Connection, Database
from app.tenancy.audit import SYSTEM
from app.tenancy.limits import TenantLimits
from app.tenancy.tenants import TenantWish, put_tenant
from tests.integration.test_access import ISSUER, token
from tests.support.deployment import TENANT, Deployment
from tests.support.disks import SMALL, small_disk
from tests.support.files import everything_in
from tests.support.uploads import PAPER, Paper, serve_trials, upload
from tests.support.waiting import eventually

FILE_BYTES, TOTAL_BYTES = 3_000_000, 4_000_000
TEXT = b"1. What is a half?\n"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(deployment: Deployment, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    limits = TenantLimits(upload_files=2, upload_file_bytes=FILE_BYTES, upload_total_bytes=TOTAL_BYTES)
    async with database.session(TENANT) as session:
        await put_tenant(session, TENANT, TenantWish(limits=limits), SYSTEM)
    async with serve_trials(deployment, JWT_ISSUERS=json.dumps([ISSUER])) as client:
        yield client


@pytest.fixture
def files(deployment: Deployment) -> Path:
    return deployment.files


def paper(name: str = "paper.txt", content: bytes = TEXT, field: str = "paper_files") -> Any:
    return (field, (name, content))


async def rows(ledger: Connection) -> int:
    counted: int = await ledger.fetchval("select count(*) from jobs")
    return counted


async def test_an_upload_is_stored_and_becomes_a_job(api: httpx.AsyncClient, database: Database, files: Path) -> None:
    answer = await upload(
        api,
        *(paper("期中.txt"), paper("b.csv", b"name,Q1\nAda,1\n", "score_files")),
        trial_id="midterm",
        student_ids=["s1", "s2"],
        headers={"X-Request-ID": "from-afar"},
    )
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["kind"], job["status"], job["request_id"]) == ("trial.parse", "queued", "from-afar")
    assert (job["draft_status"], answer.headers["Location"]) == ("parsing", job["links"]["self"])
    assert job["links"]["draft"] == f"/v1/trials/uploads/{job['job_id']}/draft"
    folder = files / TENANT / "trials" / job["job_id"]
    assert everything_in(folder) == ["job.json", "sources/01.txt", "sources/02.csv"]
    assert (folder / "sources/01.txt").read_bytes() == TEXT
    words = json.loads((folder / "job.json").read_bytes())
    assert (words["job_id"], words["status"], words["request_id"]) == (job["job_id"], "queued", "from-afar")
    document = (await api.get(f"/v1/trials/uploads/{job['job_id']}")).json()["upload"]
    assert (document["record_id"], document["form"]["student_ids"]) == ("midterm", ["s1", "s2"])
    assert [(each["number"], each["field"], each["name"]) for each in document["files"]] == [
        (1, "paper_files", "期中.txt"),
        (2, "score_files", "b.csv"),
    ]


class Refused(NamedTuple):
    sent: Sequence[Any]
    form: dict[str, Any]
    status: int
    code: str
    pointer: str | None = None


REFUSED = {
    "a field that there is not": Refused([paper()], {"colour": "red"}, 422, "invalid_form", "/body/colour"),
    "a file where there is no field for it": Refused([paper(field="x")], {}, 422, "invalid_form", "/body/x"),
    "text where a file belongs": Refused([], {"paper_files": "1. What?"}, 422, "invalid_form", "/body/paper_files"),
    "a file where text belongs": Refused([paper(field="title")], {}, 422, "invalid_form", "/body/title"),
    "no file": Refused([paper(field="score_files", name="s.csv")], {}, 422, "invalid_form", "/body/paper_files"),
    "no title": Refused([paper()], {"title": ""}, 422, "invalid_form", "/body/title"),
    "two titles": Refused([paper()], {"title": ["a", "b"]}, 422, "invalid_form", "/body/title"),
    "a number that is none": Refused([paper()], {"weight": "heavy"}, 422, "invalid_form", "/body/weight"),
    "a text without end": Refused([paper()], {"title": "x" * 70_000}, 422, "invalid_form", "/body/title"),
    "a type that is not read": Refused([paper(), paper("a.exe", b"MZ")], {}, 415, "unsupported_type"),
    "another type than the name's": Refused([paper(), paper("a.pdf")], {}, 415, "type_mismatch"),
    "nothing in a file": Refused([paper(), paper("a.txt", b"")], {}, 422, "empty_file"),
    "too many files": Refused([paper(), paper(), paper()], {}, 413, "too_many_files"),
    "a file too large": Refused([paper(), paper("b.txt", b"x" * (FILE_BYTES + 1))], {}, 413, "file_too_large"),
    "too much in all": Refused([paper("a.txt", b"x" * 2_500_000)] * 2, {}, 413, "upload_too_large"),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
async def test_of_what_is_refused_nothing_is_left(
    api: httpx.AsyncClient, ledger: Connection, files: Path, refused: Refused
) -> None:
    before = everything_in(files), await rows(ledger)
    answer = await upload(api, *(refused.sent or [("other", ("", b""))]), **refused.form)
    assert (answer.status_code, answer.json()["code"]) == (refused.status, refused.code), answer.text
    if refused.pointer is not None:
        assert refused.pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert (everything_in(files), await rows(ledger)) == before


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("application/json", b"{}", 415, "multipart_expected"),
        ("multipart/form-data; boundary=x", b"nonsense", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=x", b"--x\r\n", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=x", b"", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: b\r\n\r\nc\r\n--x--\r\n", 400, "invalid_multipart"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 422, "invalid_form"),
    ],
)
async def test_a_body_that_is_no_form_is_refused(
    api: httpx.AsyncClient, content_type: str, body: bytes, status: int, code: str
) -> None:
    answer = await api.post("/v1/trials/uploads", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def multipart(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(
        f"--x\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + content + b"\r\n" for name, content in parts
    )


BEGINNING = multipart(('name="title"', b"Streamed")) + multipart(('name="paper_files"; filename="a.txt"', b"x"))[:-2]


async def test_a_file_is_in_the_folder_while_its_rest_is_on_its_way(api: httpx.AsyncClient, files: Path) -> None:
    before = set(everything_in(files))
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        yield BEGINNING + b"x" * 1_500_000
        # The body is held back until the disk has a megabyte of it: nobody can have waited for the end.
        await eventually(arrived, what="the file's first megabyte")
        yield b"x" * 500_000 + b"\r\n--x--\r\n"

    async def arrived() -> bool:
        parts = [each for each in set(everything_in(files)) - before if "/.part-" in each]
        seen.extend((files / each).stat().st_size for each in parts)
        return bool(seen) and max(seen) >= 1_000_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}  # and no length: it comes in chunks
    answer = await api.post("/v1/trials/uploads", content=body(), headers=headers)
    assert answer.status_code == 202, answer.text
    (source,) = [each for each in set(everything_in(files)) - before if "/sources/" in each]
    assert (files / source).stat().st_size == 2_000_001


async def test_of_a_client_that_leaves_nothing_is_left(api: httpx.AsyncClient, files: Path, ledger: Connection) -> None:
    before, jobs = everything_in(files), await rows(ledger)
    url = urlsplit(str(api.base_url))
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    head = f"POST /v1/trials/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: {api.headers['Authorization']}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3000000\r\n\r\n"
    writer.write(head.encode() + BEGINNING + b"x" * 1_200_000)
    await writer.drain()

    async def arrives() -> bool:
        return everything_in(files) != before

    await eventually(arrives, what="the beginning of the file")
    writer.transport.abort()

    async def gone() -> bool:
        return everything_in(files) == before

    await eventually(gone, what="the end of what was left behind")
    assert await rows(ledger) == jobs


async def test_the_same_key_is_the_same_upload_and_is_stored_once(api: httpx.AsyncClient, files: Path) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await upload(api, paper(), headers=headers)
    before = everything_in(files)
    again = await upload(api, paper("renamed.txt"), headers=headers)
    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    assert (again.headers["Idempotency-Replayed"], again.json()["draft_status"]) == ("true", "parsing")
    for other in (upload(api, paper(content=b"2."), headers=headers), upload(api, paper(), title="B", headers=headers)):
        answer = await other
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert everything_in(files) == before


async def test_of_many_who_come_at_once_with_one_key_one_is_stored(api: httpx.AsyncClient, files: Path) -> None:
    before = set(everything_in(files))
    answers = await asyncio.gather(*(upload(api, paper(), headers={"Idempotency-Key": "race"}) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    (job_id,) = {answer.json()["job_id"] for answer in answers}
    folder = f"{TENANT}/trials/{job_id}"
    assert set(everything_in(files)) - before == {f"{folder}/job.json", f"{folder}/sources/01.txt"}


async def test_a_full_disk_is_said_and_keeps_nothing(
    deployment: Deployment, ledger: Connection, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "full"):
        async with serve_trials(deployment, STORAGE_DIR=str(tmp_path / "full")) as api:
            before = await rows(ledger)
            declared = await upload(api, paper(content=b"x" * 2 * SMALL))
            request = api.build_request("POST", "/v1/trials/uploads", files=[paper(content=b"x" * 2 * SMALL)])
            body = await request.aread()

            async def chunks() -> AsyncIterator[bytes]:
                yield body

            headers = {"Content-Type": request.headers["Content-Type"]}
            undeclared = await api.post("/v1/trials/uploads", content=chunks(), headers=headers)
            for answer in (declared, undeclared):
                assert (answer.status_code, answer.json()["code"]) == (507, "storage_full"), answer.text
            assert (everything_in(tmp_path / "full"), await rows(ledger)) == ([], before)
            assert (await upload(api, paper())).status_code == 202


async def test_a_student_s_token_opens_no_upload(api: httpx.AsyncClient) -> None:
    job = (await upload(api, PAPER)).json()
    address = f"/v1/trials/uploads/{job['job_id']}"
    for role, refused in (("student", True), ("teacher", False)):
        headers = {"Authorization": f"Bearer {token(role=role)}"}
        answers = [
            await upload(api, PAPER, headers=headers),
            await api.get("/v1/trials/uploads", headers=headers),
            await api.get(address, headers=headers),
            await api.get(f"{address}/draft", headers=headers),
            await api.put(f"{address}/draft", json={}, headers=headers),
            await api.post(f"{address}/confirm", headers=headers),
            await api.post(f"{address}/reparse", json={}, headers=headers),
            await api.get(f"{address}/files/1", headers=headers),
        ]
        codes = [answer.status_code == 403 and answer.json()["code"] == "teachers_only" for answer in answers]
        assert codes == [refused] * len(answers)


async def test_while_the_files_are_read_there_is_no_draft(api: httpx.AsyncClient) -> None:
    paper = Paper(api, (await upload(api)).json())  # nobody works
    for refused in (
        await paper.draft(),
        await paper.put({}, tag="*"),
        await paper.confirm(),
        await paper.reparse(),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "job_not_ready")
        assert refused.headers["Retry-After"] == "1"
    await api.post(f"/v1/jobs/{paper.job_id}/cancel")
    assert ((await paper.draft()).json()["error"], await paper.state()) == ("cancelled", ("failed", 0))
    again = await asyncio.gather(*(paper.reparse() for _ in range(4)))
    assert sorted(answer.status_code for answer in again) == [202] + [409] * 3
