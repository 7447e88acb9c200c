"""`.env.example` names exactly the variables that the code reads, with the code's own defaults."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from app.core.config import groups, load_settings
from app.workloads import WORKLOADS
from tests.support.deployment import only_environment

ROOT = Path(__file__).parents[2]
REQUIRED = {"DATABASE_URL", "REDIS_URL"}  # shown with an example instead of a default
GROUPS = (
    groups.AppSettings,
    groups.DatabaseSettings,
    groups.RedisSettings,
    groups.WorkerSettings,
    groups.ApiSettings,
    groups.SecuritySettings,
    groups.LlmSettings,
    groups.StorageSettings,
    groups.ChatSettings,
)


def documented() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def variables_of(group: type[BaseSettings]) -> set[str]:
    return {str(field.validation_alias) for field in group.model_fields.values()}


def test_every_variable_is_documented_and_no_other() -> None:
    read = set().union(*(variables_of(group) for group in GROUPS))
    for workload in WORKLOADS:
        read |= {f"{workload.name}_{field}".upper() for field in groups.QueueOverrides.model_fields}
    assert set(documented()) == read


def test_the_documented_values_are_the_defaults() -> None:
    required = {name: value for name, value in documented().items() if name in REQUIRED}
    with only_environment(required):
        by_default = load_settings()
    with only_environment(documented()):
        as_documented = load_settings()
    assert as_documented == by_default
