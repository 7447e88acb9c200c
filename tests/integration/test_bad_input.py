"""Bad input: a problem document each time, nothing of the input in it, and nothing changed."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.kit.db import Connection, Database
from app.tenancy.keys import SCOPES, Pepper, issue_key
from tests.support.deployment import MASTER_KEY
from tests.support.routes import unserved_app

MARKER = "hunter2"  # stands in every input, and must stand in no answer
ECHO = {"kind": "diagnostics.echo", "queue": "exam"}
NOBODY = "0190d5c8-7a3e-7cc1-8f7e-2f1d6f0a9b3c"  # an id that no job has
JSON = {"Content-Type": "application/json"}
MEGABYTE = 1024 * 1024
COUNT = "select (select count(*) from jobs), (select count(*) from tenants), (select count(*) from job_attempts)"
PARTS = {
    "tenant": "bad-input",
    "tenant_id": "bad-input",
    "key_id": "0" * 12,
    "session": "bad-input",
    "agent": "bad-input",
    "student_id": "bad-input",
    "exam_id": "bad-input",
    "assignment_id": "bad-input",
    "n": "1",
    "job_id": NOBODY,
}

WITH_BODY = [
    (method.upper(), path)
    for path, methods in unserved_app().openapi()["paths"].items()
    for method, told in methods.items()
    if "application/json" in told.get("requestBody", {}).get("content", {})
]
each_route = pytest.mark.parametrize(("method", "path"), WITH_BODY, ids=lambda part: part)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def every_scope(api: httpx.AsyncClient, database: Database) -> AsyncIterator[None]:
    """The client may do everything: what is refused here is refused for its form."""
    async with database.session("demo") as session:
        key = await issue_key(session, Pepper(MASTER_KEY), "demo", name="everything", scopes=SCOPES)
    api.headers["Authorization"] = f"Bearer {key}"
    yield


async def refused(ledger: Connection, sent: Any, *expected: tuple[int, str]) -> dict[str, Any]:
    """Send it; the problem that it was answered with."""
    before = await ledger.fetchrow(COUNT)
    answer: httpx.Response = await sent
    assert await ledger.fetchrow(COUNT) == before
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem: dict[str, Any] = answer.json()
    assert 400 <= answer.status_code < 500
    assert problem["status"] == answer.status_code
    assert not expected or (answer.status_code, problem["code"]) in expected, problem
    assert MARKER not in answer.text
    assert len(answer.content) < 4000
    return problem


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "no.such", "input": MARKER}, "unknown_kind"),
        ({"kind": MARKER}, "unknown_kind"),
        ({"queue": MARKER}, "invalid_placement"),
        ({"kind": 5, "input": MARKER}, "invalid_request"),
        ({"kind": None, "input": MARKER}, "invalid_request"),
        ({"kind": "", "input": MARKER}, "invalid_request"),
        ({"kind": "a\x00" + MARKER}, "invalid_request"),
        ({"kind": MARKER * 100}, "invalid_request"),
        ({"colour": MARKER}, "invalid_request"),
        ({"priority": MARKER}, "invalid_request"),
        ({"priority": 1.5, "input": MARKER}, "invalid_request"),
        ({"priority": 2**70, "input": MARKER}, "invalid_request"),
        ({"lane": ["a", MARKER]}, "invalid_request"),
        ({"lane": MARKER + "\x00"}, "invalid_request"),
        ({"run_at": MARKER}, "invalid_request"),
        ({"run_at": 1700000000, "input": MARKER}, "invalid_request"),
        ({"run_at": "1700000000", "input": MARKER}, "invalid_request"),
        ({"run_at": "2030-02-30T00:00:00Z", "input": MARKER}, "invalid_request"),
        ({"run_at": "2999-01-01T00:00:00Z", "lane": MARKER}, "invalid_placement"),
        ({"kind": "diagnostics.sleep", "input": {"seconds": MARKER}}, "invalid_input"),
        ({"kind": "diagnostics.sleep", "input": {"seconds": 1, "colour": MARKER}}, "invalid_input"),
        ({"kind": "diagnostics.sleep", "input": [MARKER]}, "invalid_input"),
        ({"input": {MARKER: "a\x00b"}}, "invalid_text"),
        ({"input": {"a\x00b": MARKER}}, "invalid_text"),
    ],
    ids=repr,
)
async def test_a_field_that_is_wrong(
    api: httpx.AsyncClient, ledger: Connection, fields: dict[str, Any], code: str
) -> None:
    await refused(ledger, api.post("/v1/jobs", json=ECHO | fields), (422, code))


NESTED = b"[" * 20_000 + b"]" * 20_000
RAW: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": MARKER.encode(),
    "cut off": b'{"kind": "' + MARKER.encode(),
    "two documents": b'{} "' + MARKER.encode() + b'"',
    "a comment": b"/* " + MARKER.encode() + b" */ {}",
    "invalid UTF-8": b'{"kind": "' + MARKER.encode() + b'\xff\xfe"}',
    "UTF-16": json.dumps({"kind": MARKER}).encode("utf-16"),
    "a NUL byte": b'{"kind": "' + MARKER.encode() + b'\x00"}',
    "a lone surrogate": b'{"kind": "' + MARKER.encode() + b'\\ud800"}',
    "a lone surrogate as a name": b'{"\\udfff": "' + MARKER.encode() + b'"}',
    "not a number": b'{"kind": NaN, "input": "' + MARKER.encode() + b'"}',
    "infinity": b'{"kind": -Infinity, "input": "' + MARKER.encode() + b'"}',
    "nested brackets": NESTED,
    "brackets that never close": b"[" * 20_000,
    "nested objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "text": b'"' + MARKER.encode() + b'"',
    "a list": b'["' + MARKER.encode() + b'"]',
    "a number beyond": b"9" * 5000,
    "null": b"null",
}


@each_route
@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
async def test_a_body_that_is_none(
    api: httpx.AsyncClient, ledger: Connection, method: str, path: str, raw: bytes
) -> None:
    sent = api.request(method, path.format(**PARTS), content=raw, headers=JSON)
    if path.endswith("/confirm") and raw in (b"", b"null"):  # its body may be left out
        await refused(ledger, sent, (404, "upload_not_found"))
    else:
        await refused(ledger, sent, (400, "invalid_json"), (422, "invalid_request"))


@each_route
@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
async def test_a_body_that_is_declared_to_be_something_else(
    api: httpx.AsyncClient, ledger: Connection, method: str, path: str, declared: str
) -> None:
    raw = json.dumps({"kind": MARKER}).encode()
    sent = api.request(method, path.format(**PARTS), content=raw, headers={"Content-Type": declared})
    await refused(ledger, sent, (415, "unsupported_media_type"))


@each_route
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
async def test_a_body_of_ten_megabytes(
    api: httpx.AsyncClient, ledger: Connection, method: str, path: str, chunked: bool
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"kind": "'
        for _ in range(10):
            yield MARKER.encode() * (MEGABYTE // len(MARKER))

    whole = b"".join([part async for part in parts()])
    sent = api.request(method, path.format(**PARTS), content=parts() if chunked else whole, headers=JSON)
    expected = (400, "invalid_json") if path.endswith("/bulk") else (413, "body_too_large")
    await refused(ledger, sent, expected)


@pytest.mark.parametrize("depth", [300, 900, 20_000])
async def test_an_input_that_is_nested_too_deeply(api: httpx.AsyncClient, ledger: Connection, depth: int) -> None:
    raw = b'{"kind": "diagnostics.echo", "input": ' + b"[" * depth + b"]" * depth + b"}"
    sent = api.post("/v1/jobs", content=raw, headers=JSON)
    await refused(ledger, sent, (400, "invalid_json"), (422, "invalid_input"))


async def test_bad_items_of_a_bulk_are_refused_and_nothing_of_them_is_repeated(
    api: httpx.AsyncClient, ledger: Connection
) -> None:
    items: list[Any] = [{"kind": [MARKER]}, MARKER, [MARKER], None, ECHO | {"colour": MARKER}]
    items += [ECHO | {"idempotency_key": MARKER + "\x00"}, ECHO | {"input": MARKER + "\x00"}]
    before = await ledger.fetchrow(COUNT)
    answer = await api.post("/v1/jobs/bulk", json={"jobs": items})
    assert [each["status"] for each in answer.json()["data"]] == [422] * len(items)
    assert await ledger.fetchrow(COUNT) == before
    assert MARKER not in answer.text
    for jobs in ([], [ECHO] * 1001, {"0": ECHO}, MARKER):
        await refused(ledger, api.post("/v1/jobs/bulk", json={"jobs": jobs}), (422, "invalid_request"))


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


CURSORS: Sequence[str] = [
    "",
    MARKER,
    "=" * 10,
    "a" * 5000,
    "\x00",
    "é",
    encoded(None),
    encoded([MARKER]),
    encoded(["2026-01-01T00:00:00+00:00", MARKER]),
    encoded(["2026-01-01T00:00:00+00:00", 5]),
    encoded([5, NOBODY]),
    encoded(["9999-12-31T23:59:59-23:59", NOBODY]),
    encoded(["2026-01-01T00:00:00+00:00", NOBODY, MARKER]),
    encoded({"a": MARKER, "b": 1}),
    encoded("[" * 300),
    base64.urlsafe_b64encode(NESTED).decode()[:8000],
]


@pytest.mark.parametrize("cursor", CURSORS, ids=lambda cursor: repr(cursor[:30]))
async def test_a_cursor_that_was_tampered_with(api: httpx.AsyncClient, ledger: Connection, cursor: str) -> None:
    await refused(ledger, api.get("/v1/jobs", params={"cursor": cursor}), (400, "invalid_cursor"))


async def test_a_cursor_that_was_cut_short(api: httpx.AsyncClient, ledger: Connection) -> None:
    for _ in range(2):
        await api.post("/v1/jobs", json=ECHO)
    cursor = (await api.get("/v1/jobs", params={"limit": 1})).json()["next_cursor"]
    for length in range(1, len(cursor)):
        await refused(ledger, api.get("/v1/jobs", params={"cursor": cursor[:length]}), (400, "invalid_cursor"))


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": limit} for limit in ("0", "-1", "101", "1.5", "1e3", "", " ", MARKER, "9" * 30, "0x10", "\x00")),
        {"status": MARKER},
        {"status": ""},
        {"kind": ""},
        {"queue": "\x00" + MARKER},
        {"lane": MARKER * 100},
        {"created_after": MARKER},
        {"created_after": "2026-01-01"},
        {"created_after": "0"},
    ],
    ids=repr,
)
async def test_a_query_that_makes_no_sense(api: httpx.AsyncClient, ledger: Connection, query: dict[str, str]) -> None:
    await refused(ledger, api.get("/v1/jobs", params=query), (422, "invalid_request"))


@pytest.mark.parametrize(
    "job_id",
    [MARKER, "0", "-1", "%00", "%F0%9F%92%A9", "%ff", "a" * 4000, "null", "%2e%2e", "1' or '1'='1", NOBODY[:-1]],
)
@pytest.mark.parametrize("rest", ["", "/attempts", "/events", "/cancel", "/retry"])
async def test_an_id_that_is_none(api: httpx.AsyncClient, ledger: Connection, job_id: str, rest: str) -> None:
    method = "POST" if rest in ("/cancel", "/retry") else "GET"
    await refused(ledger, api.request(method, f"/v1/jobs/{job_id}{rest}"), (404, "job_not_found"))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Large": MARKER * 10_000}, (431, "headers_too_large")),
        ({f"X-{n}": MARKER * 100 for n in range(80)}, (431, "headers_too_large")),
        ({"Idempotency-Key": MARKER * 100}, (400, "invalid_idempotency_key")),
        ({"Idempotency-Key": MARKER.encode() + b"\xc3\xa4"}, (400, "invalid_idempotency_key")),
        ({"Idempotency-Key": ""}, (400, "invalid_idempotency_key")),
        ({"Authorization": f"Bearer {MARKER}"}, (401, "unauthorized")),
        ({"Authorization": b"Bearer hr_demo_\xff\xfe." + MARKER.encode()}, (401, "unauthorized")),
        ({"Authorization": "Bearer " + MARKER * 1000}, (401, "unauthorized")),
    ],
    ids=lambda part: repr(part)[:40],
)
async def test_a_header_that_makes_no_sense(
    api: httpx.AsyncClient, ledger: Connection, headers: dict[str, Any], expected: tuple[int, str]
) -> None:
    await refused(ledger, api.post("/v1/jobs", json=ECHO, headers=headers), expected)


@pytest.mark.parametrize("event_id", [MARKER, "1", "1-", "-1", "1-1-1", f"{2**64}-0", "0-" + "9" * 21, "1" * 9000])
async def test_an_event_id_that_was_never_given_out(api: httpx.AsyncClient, ledger: Connection, event_id: str) -> None:
    job = (await api.post("/v1/jobs", json=ECHO)).json()
    by_header = api.get(job["links"]["events"], headers={"Last-Event-ID": event_id})
    await refused(ledger, by_header, (400, "invalid_last_event_id"))
    by_query = api.get(job["links"]["events"], params={"last_event_id": event_id})
    await refused(ledger, by_query, (400, "invalid_last_event_id"))


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/v1/jobs"), ("DELETE", "/v1/kinds"), ("TRACE", "/healthz")])
async def test_a_method_that_is_not_taken(api: httpx.AsyncClient, ledger: Connection, method: str, path: str) -> None:
    await refused(ledger, api.request(method, path, content=MARKER), (405, "method_not_allowed"))
