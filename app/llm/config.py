"""Where a model is and how long we wait for it. The deployment has one, and a tenant may have its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

DEFAULT_BASE_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One OpenAI-compatible server, its key and the model that is asked unless a question names another."""

    model: str
    base_url: str = DEFAULT_BASE_URL
    api_key: str | None = field(default=None, repr=False)  # None: a server of one's own that asks for none
    connect_timeout: float = 5.0
    first_token_timeout: float = 20.0  # also the longest silence between two pieces
    timeout: float = 120.0  # of the whole reply
    retry_budget: float = 8.0  # seconds that one call may spend on waiting for its next try; then the job waits instead

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("The base URL of a model must be http(s)://host/path, without a login or a query.")
        if not self.model:
            raise ValueError("A model's server is given without a model. Cure: name the model.")
