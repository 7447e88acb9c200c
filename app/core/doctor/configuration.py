"""What the environment says, beyond what a process already refuses to start with."""

from __future__ import annotations

from pydantic import TypeAdapter

from app.core.config import Settings
from app.core.doctor.findings import Finding, Findings, fail, ok, warn
from app.kit.redis import place
from app.tenancy.tokens import Issuer


async def check_configuration(settings: Settings) -> Findings:
    servers = {place(url)[:2] for url in redis_urls(settings)}
    yield ok(
        "configuration",
        f"{settings.app.environment}; {len(settings.queues)} queues on {len(servers)} Redis "
        f"server{'s' if len(servers) > 1 else ''}; lease {settings.worker.lease:g} s",
    )
    yield _secrets(settings)
    yield _issuers(settings)
    if settings.app.production and settings.app.diagnostics:
        yield warn(
            "diagnostics",
            "every tenant may submit diagnostics.sleep and the like in production",
            "Unset DIAGNOSTICS once you have tried what you wanted to try.",
        )


def redis_urls(settings: Settings) -> list[str]:
    return [settings.shared_redis_url, *(each.redis_url for each in settings.queues.values())]


def _secrets(settings: Settings) -> Finding:
    if settings.app.production:  # weak ones are refused before anything else
        return ok("secrets", "MASTER_KEY is set, and strong")
    return warn(
        "secrets",
        f"APP_ENV is {settings.app.environment}: weak secrets are accepted",
        "Set APP_ENV=production where pupils' data are; MASTER_KEY is then checked, too.",
    )


def _issuers(settings: Settings) -> Finding:
    try:
        issuers = TypeAdapter(list[Issuer]).validate_python(settings.security.jwt_issuers)
    except ValueError as error:
        return fail("jwt issuers", f"JWT_ISSUERS: {error}", "Correct the list; .env.example has a form.")
    return ok("jwt issuers", ", ".join(each.issuer for each in issuers) or "none: API keys alone open the API")
