"""`homeroom tenant export` and `erase`: all of a tenant in a folder, and then nothing of it, files included."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from app.cli import main
from app.core.storage import build_storage
from app.kit.db import Database
from app.kit.errors import EX_CONFIG
from app.storage.port import Storage
from app.tenancy.tenants import Policies
from tests.support.deployment import Deployment, only_environment
from tests.support.jobs import queued

SOURCE = b"%PDF-1.7 a page of a paper"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


def run(deployment: Deployment, files: Path, *arguments: str) -> int:
    with only_environment(deployment.environment(STORAGE_DIR=str(files))):
        return main(["tenant", *arguments])


def refused(deployment: Deployment, files: Path, *arguments: str) -> None:
    with pytest.raises(SystemExit) as ending:
        run(deployment, files, *arguments)
    assert ending.value.code == EX_CONFIG


async def furnish(deployment: Deployment, files: Path, tenant: str) -> None:
    """Two jobs and a file."""
    settings = deployment.settings(STORAGE_DIR=str(files))
    database = Database(settings.database.options(), application_name="homeroom tests")
    await database.open()
    try:
        async with database.ledger.acquire() as ledger:
            await queued(ledger, tenant_id=tenant)
            await queued(ledger, tenant_id=tenant, lane_id="lane")
        storage: Storage = build_storage(settings.storage, Policies(database))
        await storage.put(tenant, "exams/one/sources/01.pdf", SOURCE)
    finally:
        await database.close()


def test_a_tenant_takes_all_of_it_along_and_leaves_nothing(
    deployment: Deployment, files: Path, tmp_path: Path, tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(deployment, files, "create", tenant)
    run(deployment, files, "create", f"{tenant}-stays")
    asyncio.run(furnish(deployment, files, tenant))
    asyncio.run(furnish(deployment, files, f"{tenant}-stays"))
    out = tmp_path / "out"

    assert run(deployment, files, "export", tenant, str(out)) == 0
    assert "and 1 files of" in capsys.readouterr().out
    rows = [json.loads(line) for line in (out / "rows.ndjson").read_text().splitlines()]
    assert {each["row"]["tenant_id"] for each in rows} == {tenant}
    tables = Counter(each["table"] for each in rows)
    assert (tables["jobs"], tables["lanes"], tables["tenants"]) == (2, 1, 1)
    assert (out / "files" / "exams" / "one" / "sources" / "01.pdf").read_bytes() == SOURCE

    run(deployment, files, "disable", tenant)
    assert run(deployment, files, "erase", tenant, "--confirm", tenant) == 0
    told = capsys.readouterr().out
    assert "1 files of" in told
    assert [line.split() for line in told.splitlines() if line.endswith("  jobs")] == [["2", "jobs"]]
    assert not [path for path in (files / tenant).rglob("*") if path.is_file()]
    assert [path for path in (files / f"{tenant}-stays").rglob("*") if path.is_file()]
    assert run(deployment, files, "erase", tenant, "--confirm", tenant) == 0  # worth repeating, as the guide says
    assert "0 rows and 0 files" in capsys.readouterr().out


def test_a_mistake_costs_nothing(
    deployment: Deployment, files: Path, tmp_path: Path, tenant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(deployment, files, "create", tenant)
    refused(deployment, files, "erase", tenant, "--confirm", tenant)
    assert "Disable it first" in capsys.readouterr().err
    run(deployment, files, "disable", tenant)
    refused(deployment, files, "erase", tenant)
    assert "`confirm`" in capsys.readouterr().err
    refused(deployment, files, "export", tenant, str(tmp_path))
    assert "not there yet" in capsys.readouterr().err
    refused(deployment, files, "export", "no-such", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
