"""One examination: every check in its order; what cannot be asked is told, and the rest goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from app.core.config import Settings, load_settings
from app.core.doctor.configuration import check_configuration
from app.core.doctor.findings import Finding, Findings, Health, fail
from app.core.doctor.fleet import check_fleet
from app.core.doctor.postgres import check_logins, check_server
from app.core.doctor.provider import check_provider
from app.core.doctor.redis import check_redis
from app.core.doctor.storage import check_storage
from app.core.doctor.vault import check_vault
from app.core.doctor.walls import MIGRATE, check_schema
from app.kit.errors import ConfigurationError

PATIENCE = 60.0  # seconds a check may take

Check: TypeAlias = Callable[[Settings], Findings]


async def examine() -> list[Finding]:
    """All that was found, in the order in which it should be cured."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return [fail("configuration", error.problem, error.cure)]
    found = await _ask(check_configuration, settings)
    found += await _postgres(settings)
    for check in (check_redis, check_storage, check_provider):
        found += await _ask(check, settings)
    return found


async def _postgres(settings: Settings) -> list[Finding]:
    """Each step only where the one before found ground."""
    found = await _ask(check_logins, settings)
    if _failed(found):
        return found
    schema = await _ask(check_schema, settings)
    if any(each.cure == MIGRATE for each in schema):
        return found + schema
    for check in (check_server, check_vault, check_fleet):
        schema += await _ask(check, settings)
    return found + schema


async def _ask(check: Check, settings: Settings) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(PATIENCE):
            async for finding in check(settings):
                found.append(finding)  # noqa: PERF401 - what was found before a failure is kept
    except Exception as error:  # whatever it is: a doctor who faints helps nobody
        name = check.__name__.removeprefix("check_")
        told = f"the check could not be made: {type(error).__name__}: {error}"
        found.append(fail(name, told, "Cure what failed before it; if nothing did, this is a bug of the doctor."))
    return found


def _failed(found: Sequence[Finding]) -> bool:
    return any(each.health is Health.FAIL for each in found)
