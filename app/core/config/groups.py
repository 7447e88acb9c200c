"""The groups of settings, one per subject: names, defaults and bounds of every variable."""

from __future__ import annotations

import socket
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.engine.workload import Workload
from app.kit.db import DatabaseOptions
from app.kit.redis import with_database
from app.llm.config import DEFAULT_BASE_URL, ProviderConfig

DEVELOPMENT_MASTER_KEY = "development-only-master-key-never-use-in-production"

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
