"""A form is the same however its bytes arrive; a file's name is shown, and never believed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.workloads.uploads.receiving.heads import LONGEST_NAME, check_head, shown_name, suffix_of
from app.workloads.uploads.receiving.multipart import FormReader
from app.workloads.uploads.refusals import (
    EmptyFile,
    InvalidMultipart,
    MismatchedFile,
    MultipartExpected,
    UnsupportedFile,
)

BOUNDARY = "----of-the-test"
DECLARED = f"multipart/form-data; boundary={BOUNDARY}"
Field = tuple[str, str | None, bytes]

names = st.text(
    st.characters(codec="utf-8", exclude_characters='\\"\r\n', exclude_categories=["Cs"]), min_size=1, max_size=30
)
fields = st.lists(st.tuples(names, st.none() | names, st.binary(max_size=300)), max_size=5)


def encoded(form: Sequence[Field]) -> bytes:
    body = b""
    for name, filename, content in form:
        end = "" if filename is None else f'; filename="{filename}"'
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{end}\r\nX-Other: 1\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


async def arriving(body: bytes, sizes: Sequence[int]) -> AsyncIterator[bytes]:
    start = 0
    for size in sizes:
        yield body[start : start + size]
        start += size
    yield body[start:]


async def read(declared: str, body: AsyncIterator[bytes]) -> list[Field]:
    reader = FormReader(declared, body)
    return [
        (part.name, part.filename, b"".join([each async for each in part.content])) async for part in reader.parts()
    ]


@given(fields, st.lists(st.integers(1, 200), max_size=40), st.binary(max_size=20))
async def test_a_form_is_read_as_it_was_written_however_it_arrives(
    form: list[Field], sizes: list[int], epilogue: bytes
) -> None:
    assert await read(DECLARED, arriving(encoded(form) + epilogue, sizes)) == form


@given(st.lists(st.tuples(names, names, st.binary(max_size=300)), min_size=1, max_size=3), st.data())
async def test_a_form_that_breaks_off_is_none(form: list[Field], data: st.DataObject) -> None:
    body = encoded(form)
    cut = data.draw(st.integers(0, len(body) - len("--\r\n") - 1))
    with pytest.raises(InvalidMultipart):
        await read(DECLARED, arriving(body[:cut], [7] * 10))


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=10))
async def test_whatever_arrives_is_a_form_or_refused(garbage: bytes, sizes: list[int]) -> None:
    body = f"--{BOUNDARY}\r\n".encode() + garbage
    with pytest.raises(InvalidMultipart):
        await read(DECLARED, arriving(body, sizes))


async def test_parts_that_nobody_reads_are_passed_over() -> None:
    form: list[Field] = [("a", "a.txt", b"x" * 1000), ("b", None, b"y")]
    reader = FormReader(DECLARED, arriving(encoded(form), [100] * 5))
    assert [part.name async for part in reader.parts()] == ["a", "b"]


@pytest.mark.parametrize(
    "declared",
    [
        *(
            "",
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
        ),
        f"multipart/form-data; boundary={'x' * 71}",
    ],
)
async def test_only_a_form_with_a_boundary_is_taken(declared: str) -> None:
    with pytest.raises(MultipartExpected):
        await read(declared, arriving(b"", []))


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("期中.PDF", "期中.PDF"),
        ("../../etc/passwd.txt", "passwd.txt"),
        (r"C:\exams\paper.pdf", "paper.pdf"),
        ("a\x00b\n\u202efdp.txt", "abfdp.txt"),
        ("x" * 500 + ".docx", "x" * (LONGEST_NAME - 5) + ".docx"),
        ("..", "file"),
        ("dir/", "file"),
        ("", "file"),
    ],
)
def test_names_are_fit_to_be_shown(given_name: str, shown: str) -> None:
    assert shown_name(given_name) == shown


@pytest.mark.parametrize("name", ["virus.exe", "archive.zip", "pdf", "paper.pdf.sh", ".pdf"])
def test_only_files_that_are_read_are_taken(name: str) -> None:
    with pytest.raises(UnsupportedFile):
        suffix_of(name)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.pdf", b"%PDF-1.7"),
        ("a.docx", b"PK\x03\x04"),
        ("a.XLSX", b"PK\x03\x04"),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.txt", b"BMW and RIFF, a text"),
        ("a.csv", "\ufeffname,1\n".encode("utf-16")),
        ("a.md", "分数".encode("gbk")),
    ],
)
def test_a_file_that_is_what_its_name_says_is_taken(name: str, head: bytes) -> None:
    check_head(name, suffix_of(name), head, len(head))


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.pdf", b"<html>"),
        ("a.docx", b"%PDF-1.7"),
        ("a.png", b"\xff\xd8\xff"),
        ("a.txt", b"PK\x03\x04"),
        ("a.csv", b"%PDF-1.7"),
        ("a.txt", b"a\x00b"),
        ("a.jpg", b"MZ"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_sent_back(name: str, head: bytes) -> None:
    with pytest.raises(MismatchedFile):
        check_head(name, suffix_of(name), head, len(head))


def test_an_empty_file_is_sent_back() -> None:
    with pytest.raises(EmptyFile):
        check_head("a.txt", ".txt", b"", 0)
