"""Real servers without an installation: Postgres and Redis from wheels, for `homeroom up` and for tests only."""

from app.core.embedded.postgres import EmbeddedPostgres
from app.core.embedded.redis import EmbeddedRedis

__all__ = ["EmbeddedPostgres", "EmbeddedRedis"]
