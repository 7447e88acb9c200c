"""The port: what is asked of a model, what comes back, and how it may fail. Workloads know this and nothing behind it.

The four kinds of text stay apart all the way to the model: what the deployment says (`system`), what was said before
(`history`), what may be quoted (`material`, which is data) and what is asked now (`user`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from app.kit.errors import HomeroomError

Role = Literal["system", "user", "assistant"]
Language = Literal["en", "zh"]
FinishReason = Literal["stop", "length", "filter"]

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said earlier. A `system` turn is the deployment's own, such as a summary of what is too long ago."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Source:
    """Material that a reply may quote."""

    id: str
    title: str
    quote: str
    locator: str | None = None  # where in the document, as a person would say it: "question 3", "page 2"
    background: bool = False  # what is known of who asks: not what the class learns, unless that is the question


@dataclass(frozen=True, slots=True)
class Question:
    """All that goes to a model for one reply."""

    system: str
    user: str
    history: tuple[Turn, ...] = ()
    material: tuple[Source, ...] = ()
    model: str | None = None  # instead of the provider's own
    temperature: float | None = None
    max_output_tokens: int = 1024
    language: Language | None = None  # of the reply; None: the language of `user`


@dataclass(frozen=True, slots=True)
class Usage:
    """What the provider counted; where it counts nothing, our own estimate."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole reply. `text` is exactly the deltas put together; `sources` are those that it names."""

    text: str
    sources: tuple[Source, ...]
    usage: Usage
    model: str
    finish_reason: FinishReason


class Provider(Protocol):
    """Something that answers."""

    name: str

    def answer(self, question: Question) -> AsyncGenerator[Delta | Finished, None]:
        """Pieces as they come, the last item is `Finished`. Closing or cancelling the iteration ends the call."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Extracted(Generic[Shape]):
    """What was read out of the material, in the shape that was asked for, and what reading it cost."""

    value: Shape
    usage: Usage
    model: str


@runtime_checkable
class Extractor(Protocol):
    """A provider that can also fill in a form. The local one cannot: it has only quotations."""

    async def extract(
        self, shape: type[Shape], *, task: str, material: tuple[Source, ...], max_output_tokens: int = 4096
    ) -> Extracted[Shape]:
        """Read the material for the task; the value is valid, or ProviderUnavailable says why there is none."""
        ...


class ProviderError(HomeroomError):
    """The provider gave no reply. What was streamed before is void: the next try starts from the beginning."""


class ProviderBusy(ProviderError):
    """Too many requests, or overloaded: ask again after `retry_after` seconds (None: it did not say)."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class ProviderUnavailable(ProviderError):
    """It did not answer, broke off, or answered nonsense: ask again later."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ProviderRefused(ProviderError):
    """No retry mends this: a wrong key, an unknown model, a request against its rules."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
