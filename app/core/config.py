"""Settings: everything that may differ between deployments, from the environment, one group per subject.

Read here and nowhere else; `.env.example` names every variable, and a test holds the two together.
"""

from __future__ import annotations

import math
import socket
from collections import Counter
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.engine.workload import Workload
from app.kit import failpoints, sentinel
from app.kit.db import DatabaseOptions
from app.kit.errors import ConfigurationError
from app.kit.redis import place, with_database
from app.llm.config import DEFAULT_BASE_URL, ProviderConfig
from app.workloads import WORKLOADS

DEVELOPMENT_MASTER_KEY = "development-only-master-key-never-use-in-production"

MASTER_KEY_LENGTH = 32
MASTER_KEY_ENTROPY = 100.0  # bits

DATABASE_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
REDIS_SCHEMES = ("redis", "rediss", sentinel.SCHEME)

_ENV = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, str_strip_whitespace=True)


def split(value: Any) -> Any:
    """The parts of a comma-separated text."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class AppSettings(BaseSettings):
    """The process as a whole."""

    model_config = _ENV

    environment: Literal["development", "test", "production", "prod"] = Field("development", validation_alias="APP_ENV")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", validation_alias="LOG_LEVEL")
    log_format: Literal["auto", "json", "console"] = Field("auto", validation_alias="LOG_FORMAT")
    diagnostics: bool = Field(False, validation_alias="DIAGNOSTICS")
    failpoints: str = Field("", validation_alias="FAILPOINTS")
    startup_wait: float = Field(30.0, ge=0, validation_alias="STARTUP_WAIT_SECONDS")
    ready_file: str | None = Field(None, validation_alias="HOMEROOM_READY_FILE")

    @property
    def production(self) -> bool:
        return self.environment in ("production", "prod")

    @property
    def json_logs(self) -> bool:
        return self.log_format == "json" or (self.log_format == "auto" and self.production)


class DatabaseSettings(BaseSettings):
    model_config = _ENV

    url: str = Field("", validation_alias="DATABASE_URL")
    app_url: str | None = Field(None, validation_alias="DATABASE_APP_URL")
    engine_url: str | None = Field(None, validation_alias="DATABASE_ENGINE_URL")
    pool_size: int = Field(10, ge=1, validation_alias="DATABASE_POOL_SIZE")
    ledger_pool_size: int = Field(10, ge=2, validation_alias="DATABASE_LEDGER_POOL_SIZE")
    statement_cache_size: int = Field(256, ge=0, validation_alias="DATABASE_STATEMENT_CACHE_SIZE")

    def options(self) -> DatabaseOptions:
        return DatabaseOptions(
            app_url=self.app_url or self.url,
            engine_url=self.engine_url or self.url,
            pool_size=self.pool_size,
            ledger_pool_size=self.ledger_pool_size,
            statement_cache_size=self.statement_cache_size,
        )


class RedisSettings(BaseSettings):
    model_config = _ENV

    url: str = Field("", validation_alias="REDIS_URL")


class QueueSettings(BaseModel):
    """Where one queue's Redis is, and how its workers run: the spec's values unless the environment overrides them."""

    redis_url: str
    concurrency: int
    grace: float
    probe_port: int


class QueueOverrides(BaseSettings):
    """`CHAT_REDIS_URL`, `CHAT_REDIS_DB`, `CHAT_CONCURRENCY`, `CHAT_GRACE_SECONDS`, `CHAT_PROBE_PORT`; every queue's."""

    model_config = _ENV

    redis_url: str | None = None  # a server of its own
    redis_db: int | None = Field(None, ge=1)  # another database of the common server
    concurrency: int | None = Field(None, ge=1)
    grace_seconds: float | None = Field(None, ge=0)
    probe_port: int | None = Field(None, ge=0, le=65535)

    def apply(self, workload: Workload, common_url: str, probe_port: int) -> QueueSettings:
        database = workload.redis_db if self.redis_db is None else self.redis_db
        return QueueSettings(
            redis_url=self.redis_url or with_database(common_url, database),
            concurrency=self.concurrency or workload.concurrency,
            grace=workload.grace if self.grace_seconds is None else self.grace_seconds,
            probe_port=probe_port if self.probe_port is None else self.probe_port,
        )


class WorkerSettings(BaseSettings):
    """What all workers share."""

    model_config = _ENV

    lease: float = Field(10.0, gt=0, validation_alias="LEASE_SECONDS")
    heartbeat: float = Field(2.0, gt=0, validation_alias="HEARTBEAT_SECONDS")
    scan_on_start: bool = Field(True, validation_alias="SCAN_PENDING_ON_START")
    tenant_id: str | None = Field(None, validation_alias="TENANT_ID")
    host: str = Field(default_factory=socket.gethostname, validation_alias="WORKER_HOST")
    probe_host: str = Field("127.0.0.1", validation_alias="WORKER_PROBE_HOST")
    probe_port: int = Field(0, ge=0, le=65535, validation_alias="WORKER_PROBE_PORT")  # 0: no probe
    stall: float = Field(120.0, gt=0, validation_alias="WORKER_STALL_SECONDS")


class ApiSettings(BaseSettings):
    model_config = _ENV

    host: str = Field("127.0.0.1", validation_alias="HOST")
    port: int = Field(8000, ge=0, le=65535, validation_alias="PORT")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="CORS_ORIGINS")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return split(value)


class SecuritySettings(BaseSettings):
    model_config = _ENV

    master_key: str | None = Field(None, validation_alias="MASTER_KEY")
    previous_master_keys: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="MASTER_KEY_PREVIOUS")
    admin_key: str | None = Field(None, validation_alias="ADMIN_KEY")
    # Read by the API alone, which knows what an issuer is: a worker loads no cryptography for it.
    jwt_issuers: tuple[dict[str, Any], ...] = Field((), validation_alias="JWT_ISSUERS")

    @field_validator("previous_master_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return split(value)


class LlmSettings(BaseSettings):
    """The deployment's own model; a tenant may have one of its own. Without any, the local provider answers."""

    model_config = _ENV

    base_url: str = Field("", validation_alias="LLM_BASE_URL")
    api_key: str | None = Field(None, repr=False, validation_alias="LLM_API_KEY")
    model: str = Field("", validation_alias="LLM_MODEL")
    connect_timeout: float = Field(5.0, gt=0, validation_alias="LLM_CONNECT_SECONDS")
    first_token_timeout: float = Field(20.0, gt=0, validation_alias="LLM_FIRST_TOKEN_SECONDS")
    timeout: float = Field(120.0, gt=0, validation_alias="LLM_TIMEOUT_SECONDS")
    tenant_hosts: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias="LLM_TENANT_HOSTS")

    @field_validator("tenant_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return split(value)

    @property
    def configured(self) -> bool:
        return bool(self.base_url or self.api_key)

    def provider(self) -> ProviderConfig | None:
        """None: the local provider."""
        if not self.configured:
            return None
        return self.at(self.base_url or DEFAULT_BASE_URL, self.model, self.api_key)

    def at(self, base_url: str, model: str, api_key: str | None) -> ProviderConfig:
        """A server, wherever it is, with this deployment's patience."""
        return ProviderConfig(
            model=model,
            base_url=base_url,
            api_key=api_key,
            connect_timeout=self.connect_timeout,
            first_token_timeout=self.first_token_timeout,
            timeout=self.timeout,
        )


class StorageSettings(BaseSettings):
    """Where files are kept: in a folder, or, where a url says so, in S3."""

    model_config = _ENV

    folder: str = Field(".homeroom/files", validation_alias="STORAGE_DIR")
    url: str = Field("", validation_alias="STORAGE_URL")
    endpoint: str = Field("", validation_alias="STORAGE_ENDPOINT")
    region: str = Field("", validation_alias="STORAGE_REGION")
    access_key_id: str = Field("", validation_alias="STORAGE_ACCESS_KEY_ID")
    secret_access_key: str = Field("", repr=False, validation_alias="STORAGE_SECRET_ACCESS_KEY")

    def s3_options(self) -> dict[str, str]:
        """What differs from AWS's own defaults; without keys, those that the machine is given are used."""
        names = ("endpoint", "region", "access_key_id", "secret_access_key")
        return {name: value for name in names if (value := getattr(self, name))}


class ChatSettings(BaseSettings):
    model_config = _ENV

    lane_max_queue: int = Field(6, ge=1, validation_alias="CHAT_LANE_MAX_QUEUE")
    lane_debounce_ms: int = Field(500, ge=0, validation_alias="CHAT_LANE_DEBOUNCE_MS")


class Settings(BaseModel):
    """All groups; `load_settings()` reads them from the environment."""

    app: AppSettings
    database: DatabaseSettings
    redis: RedisSettings
    queues: dict[str, QueueSettings]
    worker: WorkerSettings
    api: ApiSettings
    security: SecuritySettings
    llm: LlmSettings
    storage: StorageSettings
    chat: ChatSettings

    @property
    def shared_redis_url(self) -> str:
        """Database 0: live events, request limits and permits."""
        return with_database(self.redis.url, 0)

    @property
    def master_key(self) -> str:
        return self.security.master_key or DEVELOPMENT_MASTER_KEY


def load_settings() -> Settings:
    """Read and check the environment. What is wrong with it is one message with its cure."""
    try:
        redis = RedisSettings()
        _check_url("REDIS_URL", redis.url, REDIS_SCHEMES)
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
    _check(settings)
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


def _check(settings: Settings) -> None:
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
        _check_url(name, url, DATABASE_SCHEMES)
    for name, queue in settings.queues.items():
        _check_url(f"{name.upper()}_REDIS_URL", queue.redis_url, REDIS_SCHEMES)
        database = "" if sentinel.is_watched(queue.redis_url) else urlsplit(queue.redis_url).path.lstrip("/")
        if database and not database.isdigit():
            raise ConfigurationError(
                f"{name.upper()}_REDIS_URL names no database.", cure="End it with the index, as in redis://host:6379/3."
            )


def _check_url(name: str, url: str | None, schemes: tuple[str, ...]) -> None:
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
