"""What storage promises, of every implementation: a folder, and S3 as a server of this machine speaks it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.kit.errors import Unavailable
from app.storage.port import NotStored, Storage, StorageFull, StoredObject, read_all
from app.storage.s3 import S3Storage
from tests.support.chat import ended
from tests.support.deployment import Deployment, free_port
from tests.support.files import local_storage, pieces
from tests.support.uploads import PAPER, Paper, serve_trials, trial_worker, upload
from tests.support.waiting import eventually

TENANT = "demo"
SECRET = {"region": "us-east-1", "access_key_id": "homeroom", "secret_access_key": "homeroom"}
BIG = 11 * 1024 * 1024  # three parts of an upload to S3

NO_KEYS = (
    *("", "/", "/etc/passwd", "a//b", "a/", "../b", "a/../../b", "./a", ".hidden", "a/.part-1", "a\\b", "a\x00b"),
    *("a\nb", "a b", "~", "ä", "a" * 200, "/".join(["a" * 100] * 6)),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def s3_url() -> AsyncIterator[str]:
    """moto's server, a process of its own, with a bucket."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=nothing, stderr=nothing)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def made() -> bool:
                try:
                    return (await client.put("/files")).status_code == 200
                except httpx.TransportError:
                    assert process.returncode is None, "moto did not start"
                    return False

            await eventually(made, within=60.0, what="a bucket")
            yield str(client.base_url)
    finally:
        process.kill()
        await process.wait()


@pytest.fixture(params=["local", "s3", "s3 without a prefix"])
def storage(request: pytest.FixtureRequest, s3_url: str, tmp_path: Path, tenant: str) -> Storage:
    if request.param == "local":
        return local_storage(tmp_path)
    prefix = f"/of/{tenant}" if request.param == "s3" else ""
    return S3Storage(f"s3://files{prefix}", {"endpoint": s3_url, **SECRET})


async def torn(content: bytes) -> AsyncIterator[bytes]:
    async for piece in pieces(content):
        yield piece
    raise ConnectionAbortedError("the client is gone")


@pytest.mark.parametrize("size", [0, 1, BIG])
async def test_what_is_put_is_read_as_it_was(storage: Storage, tenant: str, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    await storage.put(tenant, "exams/1/a.pdf", content)
    await storage.put(tenant, "exams/1/b.pdf", pieces(content))
    for key in ("exams/1/a.pdf", "exams/1/b.pdf"):
        assert await read_all(storage, tenant, key) == content
        async with storage.local(tenant, key) as path:
            assert path.suffix == ".pdf"
            assert path.read_bytes() == content


async def test_a_put_replaces_what_was_there(storage: Storage, tenant: str) -> None:
    for content in (b"first", b"second"):
        await storage.put(tenant, "exams/1/job.json", content)
    assert await read_all(storage, tenant, "exams/1/job.json") == b"second"
    assert await storage.files(tenant, "exams") == [StoredObject("exams/1/job.json", 6)]


async def test_of_a_content_that_breaks_off_nothing_is_kept(storage: Storage, tenant: str) -> None:
    await storage.put(tenant, "exams/1/a.pdf", b"earlier")
    for key in ("exams/1/a.pdf", "exams/1/b.pdf"):
        with pytest.raises(ConnectionAbortedError, match="the client is gone"):
            await storage.put(tenant, key, torn(b"x" * BIG))
    assert await storage.files(tenant, "exams") == [StoredObject("exams/1/a.pdf", 7)]


async def test_what_is_not_there_is_said_so(storage: Storage, tenant: str) -> None:
    await storage.put(tenant, "exams/1/a.pdf", b"a")
    for key in ("exams/2/a.pdf", "exams/1/a", "exams/1/a.pdf/b", "exams/1"):
        with pytest.raises(NotStored):
            await read_all(storage, tenant, key)
        with pytest.raises(NotStored):
            async with storage.local(tenant, key):
                pass


async def test_listings_tell_of_what_is_there_and_of_nobody_else_s(storage: Storage, tenant: str) -> None:
    assert (await storage.files(tenant, "exams"), await storage.folders(tenant, "exams")) == ([], [])
    keys = ["exams/1/a.pdf", "exams/1/attempts/2/x.json", "exams/10/a.pdf", "exams-old/1/a.pdf"]
    for key in keys:
        await storage.put(tenant, key, b"abc")
    await storage.put(f"{tenant}-neighbour", "exams/3/a.pdf", b"abc")
    assert await storage.folders(tenant, "exams") == ["1", "10"]
    assert [each.key for each in await storage.files(tenant, "exams/1")] == keys[:2]
    assert [each.key for each in await storage.files(tenant, "exams")] == keys[:3]


async def test_a_folder_goes_with_all_that_is_in_it_and_with_nothing_else(storage: Storage, tenant: str) -> None:
    for key in ("exams/1/a.pdf", "exams/1/attempts/2/x.json", "exams/10/a.pdf"):
        await storage.put(tenant, key, b"abc")
    for _ in range(2):
        await storage.remove(tenant, "exams/1")
    assert [each.key for each in await storage.files(tenant, "exams")] == ["exams/10/a.pdf"]


async def test_a_tenant_s_files_go_and_its_neighbour_s_stay(storage: Storage, tenant: str) -> None:
    neighbour = f"{tenant}-neighbour"
    for whose, key in ((tenant, "exams/1/a.pdf"), (tenant, "x/b"), (neighbour, "exams/1/a.pdf")):
        await storage.put(whose, key, b"abc")
    assert [await storage.remove_tenant(tenant) for _ in range(2)] == [2, 0]
    assert await storage.files(tenant, "exams") == []
    assert len(await storage.files(neighbour, "exams")) == 1


@pytest.mark.parametrize("key", NO_KEYS)
async def test_no_key_leads_anywhere_else(storage: Storage, tenant: str, key: str) -> None:
    for deed in (storage.put(tenant, key, b"x"), read_all(storage, tenant, key), storage.remove(tenant, key)):
        with pytest.raises(ValueError, match="is no key of a file"):
            await deed


async def test_of_an_upload_that_breaks_off_s3_keeps_no_parts_either(s3_url: str, tenant: str) -> None:
    storage = S3Storage("s3://files", {"endpoint": s3_url, **SECRET})
    with pytest.raises(ConnectionAbortedError):
        await storage.put(tenant, "exams/1/a.pdf", torn(b"x" * BIG))
    async with httpx.AsyncClient(base_url=s3_url) as client:
        pending = await client.get("/files?uploads")
    assert "<ListMultipartUploadsResult" in pending.text
    assert tenant not in pending.text


async def test_a_store_that_does_not_answer_is_an_outage_whatever_its_files_are_called(tenant: str) -> None:
    storage = S3Storage("s3://files", {"endpoint": f"http://127.0.0.1:{free_port()}", **SECRET}, tries=0)
    key = "507/QuotaExceeded"
    for deed in (storage.put(tenant, key, b"x"), read_all(storage, tenant, key), storage.files(tenant, key)):
        with pytest.raises(Unavailable):
            await deed


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("507 Insufficient Storage", StorageFull),
        ("507 Insufficient Storage <Error><Code>XMinioStorageFull</Code></Error>", StorageFull),
        ("403 Forbidden <Error><Code>QuotaExceeded</Code></Error>", StorageFull),
        ("403 Forbidden <Error><Code>AccessDenied</Code></Error>", Unavailable),
    ],
)
async def test_a_store_that_is_full_says_so_in_its_answer(tenant: str, answer: str, word: type[Exception]) -> None:
    status, _, body = answer.partition(" <")
    reply = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) + bool(body)}\r\nConnection: close\r\n\r\n"

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nx")
        writer.write(reply.encode() + (f"<{body}".encode() if body else b""))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        storage = S3Storage("s3://files", {"endpoint": f"http://127.0.0.1:{port}", **SECRET}, tries=0)
        with pytest.raises(word):
            await storage.put(tenant, "a", b"x")


async def test_an_upload_goes_its_whole_way_in_a_bucket(deployment: Deployment, s3_url: str) -> None:
    where = {"STORAGE_URL": "s3://files/whole", "STORAGE_ENDPOINT": s3_url, "STORAGE_REGION": "us-east-1"}
    keys = {"STORAGE_ACCESS_KEY_ID": "homeroom", "STORAGE_SECRET_ACCESS_KEY": "homeroom"}
    async with serve_trials(deployment, **where, **keys) as api, trial_worker(deployment, **where, **keys):
        paper = Paper(api, await ended(api, (await upload(api)).json()))
        refused = await upload(api, PAPER, ("paper_files", ("b.pdf", b"no pdf")))
        assert ((await paper.draft()).json()["total"], refused.status_code) == (2, 415)
        assert (await api.get(f"{paper.address}/files/1")).content == PAPER[1][1]
    storage = S3Storage(where["STORAGE_URL"], {"endpoint": s3_url, **SECRET})
    assert await storage.folders("demo", "trials") == [paper.job_id]
    assert json.loads(await read_all(storage, "demo", f"trials/{paper.job_id}/job.json"))["status"] == "done"
    assert not deployment.files.exists()
