"""What can be wrong with settings although each can be read: told with its cure, before any server is asked."""

from __future__ import annotations

import math
from collections import Counter
from urllib.parse import urlsplit

from app.core.config.groups import DEVELOPMENT_MASTER_KEY, LlmSettings, Settings, StorageSettings
from app.kit import failpoints, sentinel
from app.kit.errors import ConfigurationError
from app.kit.redis import place

MASTER_KEY_LENGTH = 32
MASTER_KEY_ENTROPY = 100.0  # bits

DATABASE_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
REDIS_SCHEMES = ("redis", "rediss", sentinel.SCHEME)


def check(settings: Settings) -> None:
    """What can be judged without asking a server."""
    if not settings.database.url:
        raise ConfigurationError(
            "DATABASE_URL is not set.", cure="Set it to postgresql://user:password@host:5432/database."
        )
    if not settings.redis.url:
        raise ConfigurationError("REDIS_URL is not set.", cure="Set it to redis://:password@host:6379.")
    _check_urls(settings)
    _check_places(settings)
    _check_secrets(settings)
    _check_llm(settings.llm)
    _check_storage(settings.storage)
    if settings.worker.heartbeat * 2 > settings.worker.lease:
        raise ConfigurationError(
            f"HEARTBEAT_SECONDS={settings.worker.heartbeat:g} is too slow for LEASE_SECONDS={settings.worker.lease:g}.",
            cure="Keep the lease at least twice the heartbeat; 10 and 2 are the defaults.",
        )


def _check_urls(settings: Settings) -> None:
    for name, url in (
        ("DATABASE_URL", settings.database.url),
        ("DATABASE_APP_URL", settings.database.app_url),
        ("DATABASE_ENGINE_URL", settings.database.engine_url),
    ):
        check_url(name, url, DATABASE_SCHEMES)
    for name, queue in settings.queues.items():
        check_url(f"{name.upper()}_REDIS_URL", queue.redis_url, REDIS_SCHEMES)
        database = "" if sentinel.is_watched(queue.redis_url) else urlsplit(queue.redis_url).path.lstrip("/")
        if database and not database.isdigit():
            raise ConfigurationError(
                f"{name.upper()}_REDIS_URL names no database.", cure="End it with the index, as in redis://host:6379/3."
            )


def check_url(name: str, url: str | None, schemes: tuple[str, ...]) -> None:
    """The url itself is never repeated in the message: it holds a password."""
    try:
        parts = urlsplit(url or f"{schemes[0]}://")
        if sentinel.is_watched(url or ""):
            understood = sentinel.SCHEME in schemes and bool(sentinel.parse(url or ""))
        else:
            understood = parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        understood = False
    if not understood:
        raise ConfigurationError(
            f"{name} cannot be understood.",
            cure=f"Write it as {schemes[0]}://user:password@host:port/database, with what is special in the password "
            "percent-encoded.",
        )


def _check_places(settings: Settings) -> None:
    taken = {place(settings.shared_redis_url): "the shared data (events, limits)"}
    for name, queue in settings.queues.items():
        where = place(queue.redis_url)
        if where in taken:
            raise ConfigurationError(
                f"Queue {name} and {taken[where]} share one Redis database ({where[0]}:{where[1]}/{where[2]}).",
                cure=f"Give {name} its own: {name.upper()}_REDIS_DB=<index>, or {name.upper()}_REDIS_URL=<url>.",
            )
        taken[where] = f"queue {name}"


def _check_secrets(settings: Settings) -> None:
    if settings.app.failpoints:
        if settings.app.production:
            raise ConfigurationError("FAILPOINTS is set in production.", cure="Unset it: it is for tests alone.")
        try:
            failpoints.arm(settings.app.failpoints)
        except ValueError as error:
            raise ConfigurationError(f"FAILPOINTS: {error}.", cure="See app/kit/failpoints.py.") from None
    if not settings.app.production:
        return
    cure = "Set it to a random text of 32 characters or more, for example from `openssl rand -base64 48`."
    key = settings.security.master_key
    if not key:
        raise ConfigurationError("MASTER_KEY is not set, and APP_ENV is production.", cure=cure)
    if key == DEVELOPMENT_MASTER_KEY or len(key) < MASTER_KEY_LENGTH or _entropy(key) < MASTER_KEY_ENTROPY:
        raise ConfigurationError("MASTER_KEY is too weak for production.", cure=cure)
    admin = settings.security.admin_key
    if admin is not None and (len(admin) < MASTER_KEY_LENGTH or _entropy(admin) < MASTER_KEY_ENTROPY):
        raise ConfigurationError("ADMIN_KEY is too weak for production.", cure=cure)


def _check_llm(llm: LlmSettings) -> None:
    if llm.configured and not llm.model:
        raise ConfigurationError(
            "LLM_MODEL is not set, but LLM_BASE_URL or LLM_API_KEY is.",
            cure="Set LLM_MODEL to a model of that server, or unset the others to answer from the class's material.",
        )
    try:
        llm.provider()
    except ValueError as error:
        raise ConfigurationError(f"LLM_BASE_URL: {error}", cure="Write it as https://host/v1.") from None


def _check_storage(storage: StorageSettings) -> None:
    parts = urlsplit(storage.url)
    if storage.url and (parts.scheme != "s3" or not parts.netloc or parts.query or "@" in parts.netloc):
        raise ConfigurationError(
            "STORAGE_URL cannot be understood.",
            cure="Write it as s3://bucket/prefix, or unset it to keep files in STORAGE_DIR.",
        )
    if bool(storage.access_key_id) != bool(storage.secret_access_key):
        raise ConfigurationError(
            "Of STORAGE_ACCESS_KEY_ID and STORAGE_SECRET_ACCESS_KEY only one is set.",
            cure="Set both, or none to use the credentials that the machine is given.",
        )


def _entropy(text: str) -> float:
    """Bits, by the frequency of the characters: tells `aaaa...` and `passwordpassword...` from random text."""
    counts = Counter(text).values()
    return -sum(n * math.log2(n / len(text)) for n in counts)
