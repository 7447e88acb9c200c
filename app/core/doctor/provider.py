"""The model that answers, where there is one."""

from __future__ import annotations

import httpx

from app.core.config import Settings
from app.core.doctor.findings import Finding, Findings, fail, ok, warn

UNAUTHORISED = (401, 403)
NOT_OFFERED = (404, 405)  # some servers list no models


async def check_provider(settings: Settings) -> Findings:
    config = settings.llm.provider()
    if config is None:
        yield ok("model", "none: the local provider quotes the class's material")
        return
    headers = {"Authorization": f"Bearer {config.api_key}"} if config.api_key else {}
    try:
        async with httpx.AsyncClient(timeout=config.connect_timeout, headers=headers) as client:
            answer = await client.get(f"{config.base_url.rstrip('/')}/models")
    except httpx.HTTPError as error:
        found = f"{config.base_url} cannot be reached: {error or type(error).__name__}"
        yield fail("model", found, "Start it, correct LLM_BASE_URL, or open the way there; chat's jobs wait meanwhile.")
        return
    yield _judge(answer, config.model, config.base_url)


def _judge(answer: httpx.Response, model: str, base_url: str) -> Finding:
    if answer.status_code in UNAUTHORISED:
        return fail("model", f"{base_url} refuses the key ({answer.status_code})", "Correct LLM_API_KEY.")
    if answer.status_code in NOT_OFFERED:
        return ok("model", f"{base_url} answers; it lists no models, so {model} is believed")
    if answer.is_error:
        return fail("model", f"{base_url} answers {answer.status_code}", "Look at that server; its log knows why.")
    try:
        offered = {each["id"] for each in answer.json()["data"]}
    except (ValueError, KeyError, TypeError):
        return warn("model", f"{base_url} answers in a form of its own", "See that LLM_BASE_URL ends as in /v1.")
    if model not in offered:
        return warn("model", f"{base_url} does not list {model}", "Set LLM_MODEL to one that it lists.")
    return ok("model", f"{base_url} offers {model}")
