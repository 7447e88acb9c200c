"""What a server's failure means for us: busy, unavailable, or refused. A server's own words are kept short."""

from __future__ import annotations

import email.utils
import time

import openai

from app.llm.port import ProviderBusy, ProviderError, ProviderRefused, ProviderUnavailable

DETAIL_LENGTH = 200

_PASSING = frozenset({408, 409, 425})  # a client's error by number, but the next try may succeed
_OVERLOADED = frozenset({503, 529})
_NO_CREDIT = "insufficient_quota"  # comes as a 429 that no waiting mends

_REFUSALS = {
    401: ("provider_key", "The provider does not accept the key."),
    402: ("provider_credit", "The provider asks to be paid first."),
    403: ("provider_forbidden", "The key may not use this model."),
    404: ("provider_model", "The provider does not know this model, or the base URL is wrong."),
}


def translate(error: Exception) -> ProviderError:
    """Our word for what the client library raised."""
    match error:
        case openai.APITimeoutError():
            return ProviderUnavailable("The provider did not answer in time.")
        case openai.APIConnectionError():
            return ProviderUnavailable("The connection to the provider failed or broke off.")
        case openai.APIStatusError():
            return _of_status(error)
        case openai.APIError(code="rate_limit_exceeded" | "overloaded_error" | "server_overloaded"):
            return ProviderBusy("The provider is overloaded.")
        case openai.APIError():  # an error event in the middle of a stream
            return ProviderUnavailable(f"The provider broke off: {_short(error.message)}")
        case _:
            return ProviderUnavailable("The provider's answer could not be read.")


def _of_status(error: openai.APIStatusError) -> ProviderError:
    status, advice = error.status_code, _retry_after(error)
    if status == 429 and error.code == _NO_CREDIT:  # noqa: PLR2004 - HTTP's own number
        return ProviderRefused("provider_credit", "The provider's account has no credit left.")
    if status == 429 or (status in _OVERLOADED and advice is not None):  # noqa: PLR2004 - the same
        return ProviderBusy("The provider takes no more requests at the moment.", retry_after=advice)
    if status in _PASSING or status >= 500:  # noqa: PLR2004 - HTTP's class of server errors
        return ProviderUnavailable(f"The provider answered {status}.")
    if status < 400:  # noqa: PLR2004 - a redirect, which is never followed
        return ProviderRefused("provider_redirect", "The provider's base URL redirects elsewhere.")
    if status in _REFUSALS:
        return ProviderRefused(*_REFUSALS[status])
    return ProviderRefused(error.code or f"provider_{status}", _short(error.message))


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds, however the server wrote them."""
    headers = error.response.headers
    try:
        if "retry-after-ms" in headers:
            return max(float(headers["retry-after-ms"]) / 1000, 0.0)
        return max(float(headers["retry-after"]), 0.0)
    except KeyError:
        return None
    except ValueError:
        moment = email.utils.parsedate_tz(headers["retry-after"]) if "retry-after" in headers else None
        return None if moment is None else max(email.utils.mktime_tz(moment) - time.time(), 0.0)


def _short(text: str) -> str:
    return " ".join(text.split())[:DETAIL_LENGTH]
