"""Settings: everything that may differ between deployments, from the environment, one group per subject.

Read here and nowhere else; `.env.example` names every variable, and a test holds the two together.
"""

from __future__ import annotations

from pydantic import ValidationError

from app.core.config.checks import REDIS_SCHEMES, check, check_url
from app.core.config.groups import (
    DEVELOPMENT_MASTER_KEY,
    ApiSettings,
    AppSettings,
    ChatSettings,
    DatabaseSettings,
    LlmSettings,
    QueueOverrides,
    RedisSettings,
    SecuritySettings,
    Settings,
    StorageSettings,
    WorkerSettings,
)
from app.kit.errors import ConfigurationError
from app.workloads import WORKLOADS

__all__ = [
    "DEVELOPMENT_MASTER_KEY",
    "DatabaseSettings",
    "Settings",
    "StorageSettings",
    "WorkerSettings",
    "load_settings",
]


def load_settings() -> Settings:
    """Read and check the environment. What is wrong with it is one message with its cure."""
    try:
        redis = RedisSettings()
        check_url("REDIS_URL", redis.url, REDIS_SCHEMES)
        worker = WorkerSettings()
        settings = Settings(
            app=AppSettings(),
            database=DatabaseSettings(),
            redis=redis,
            queues={w.name: _overrides(w.name).apply(w, redis.url, worker.probe_port) for w in WORKLOADS},
            worker=worker,
            api=ApiSettings(),
            security=SecuritySettings(),
            llm=LlmSettings(),
            storage=StorageSettings(),
            chat=ChatSettings(),
        )
    except ValidationError as error:
        raise _misread(error) from None
    check(settings)
    return settings


def _overrides(queue: str) -> QueueOverrides:
    prefix = f"{queue.upper()}_"
    try:
        return QueueOverrides(_env_prefix=prefix)
    except ValidationError as error:
        raise _misread(error, prefix) from None


def _misread(error: ValidationError, prefix: str = "") -> ConfigurationError:
    """One variable that cannot be read, by its own name and without its value."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = prefix + str(first["loc"][0]).upper() if first["loc"] else error.title
    return ConfigurationError(f"{name}: {first['msg']}.", cure="Correct the variable; see .env.example.")
