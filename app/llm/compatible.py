"""A provider behind an OpenAI-compatible server: the official client, our deadlines, our words for what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import openai

from app.kit import trace
from app.llm.config import ProviderConfig
from app.llm.extract import read_into
from app.llm.faults import translate
from app.llm.patience import Patience
from app.llm.port import (
    Delta,
    Extracted,
    Finished,
    FinishReason,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Question,
    Shape,
    Source,
    Usage,
)
from app.llm.prompt import Message, cited, messages_of
from app.llm.tokens import estimate_usage

# A server that ignores `max_tokens` is cut off here; no tokenizer puts more characters into a token on average.
CHARACTERS_PER_TOKEN = 10
LINGER = 1.0  # seconds after the last word in which the server may still tell the usage

Chunk: TypeAlias = dict[str, Any]  # as the server wrote it

_REASONS: dict[str, FinishReason] = {"length": "length", "content_filter": "filter"}


class CompatibleProvider:
    """One server with one key. Safe for any number of calls at once."""

    name = "openai-compatible"

    def __init__(self, config: ProviderConfig) -> None:
        self._config = config
        limits = openai.Timeout(config.timeout, connect=config.connect_timeout)
        self._client = openai.AsyncOpenAI(
            base_url=config.base_url,
            api_key=config.api_key or "none",  # servers of one's own ask for none; the client insists on one
            max_retries=0,  # Patience decides
            timeout=limits,
            # A redirect would carry the key and the conversation to a place that nobody configured.
            http_client=openai.DefaultAsyncHttpxClient(
                timeout=limits, follow_redirects=False, event_hooks={"request": [_hand_on_trace]}
            ),
        )
        # OpenAI's own reasoning models refuse the old name of the limit, other servers do not know the new one.
        official = (urlsplit(config.base_url).hostname or "").endswith("openai.com")
        self._limit_name = "max_completion_tokens" if official else "max_tokens"

    async def answer(self, question: Question) -> AsyncGenerator[Delta | Finished, None]:
        patience = Patience(self._config)
        while True:
            started = False
            try:
                async with aclosing(self._try(question, patience)) as pieces:
                    async for piece in pieces:
                        started = True
                        yield piece
                return
            except ProviderError as error:
                if started:  # somebody has read the beginning: another try would write a second one
                    raise
                await patience.wait_after(error)

    async def extract(
        self, shape: type[Shape], *, task: str, material: tuple[Source, ...], max_output_tokens: int = 4096
    ) -> Extracted[Shape]:
        async def ask(messages: list[Message], response_format: dict[str, Any]) -> Any:
            return await self._complete(messages, response_format, max_output_tokens)

        return await read_into(shape, task=task, material=material, ask=ask)

    async def close(self) -> None:
        await self._client.close()

    async def _try(self, question: Question, patience: Patience) -> AsyncGenerator[Delta | Finished, None]:
        messages = messages_of(question)
        reply = _Reply(question.max_output_tokens * CHARACTERS_PER_TOKEN)
        deadline = patience.until_first()
        stream = await self._open(question, messages, deadline)
        try:
            while not reply.complete:
                if reply.finish_reason is not None:
                    deadline = patience.until(LINGER)
                elif reply.alive:
                    deadline = patience.until_next()
                chunk = await _next(stream, deadline, optional=reply.finish_reason is not None)
                if chunk is None:
                    break
                if text := reply.take(chunk):
                    yield Delta(text)
        except (AttributeError, TypeError, LookupError) as error:  # JSON of another shape than a chunk has
            raise translate(error) from error
        finally:
            await stream.close()
        yield reply.finished(question, messages, self._model(question))

    async def _open(self, question: Question, messages: list[Message], deadline: float) -> openai.AsyncStream[Any]:
        parameters: dict[str, Any] = {
            "model": self._model(question),
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            self._limit_name: question.max_output_tokens,
        }
        if question.temperature is not None:
            parameters["temperature"] = question.temperature
        # By the client's door for any path: `chat.completions.create` walks over the conversation to bring it into
        # the shape that it has already, milliseconds before the first word, and builds objects of every piece.
        opening = self._client.post(
            "/chat/completions", cast_to=object, body=parameters, stream=True, stream_cls=openai.AsyncStream[object]
        )
        stream: openai.AsyncStream[Any] = await _in_time(opening, deadline)
        return stream

    async def _complete(self, messages: list[Message], response_format: dict[str, Any], max_output_tokens: int) -> Any:
        """The whole answer at once, tried again within the budget."""
        patience = Patience(self._config)
        parameters: dict[str, Any] = {
            "model": self._config.model,
            "messages": messages,
            "response_format": response_format,
            self._limit_name: max_output_tokens,
        }
        while True:
            try:
                return await _in_time(self._client.chat.completions.create(**parameters), patience.end)
            except ProviderError as error:
                await patience.wait_after(error)

    def _model(self, question: Question) -> str:
        return question.model or self._config.model


async def _hand_on_trace(request: Any) -> None:
    if (traceparent := trace.current()) is not None:
        request.headers[trace.HEADER] = traceparent


async def _in_time(call: Awaitable[Any], deadline: float) -> Any:
    try:
        async with asyncio.timeout_at(deadline):
            return await call
    except TimeoutError:
        raise ProviderUnavailable("The provider did not begin to answer in time.") from None
    except (openai.OpenAIError, ValueError) as error:
        raise translate(error) from error


async def _next(stream: openai.AsyncStream[Any], deadline: float, *, optional: bool) -> Chunk | None:
    """The next chunk; None at the end, and where an `optional` one does not come."""
    try:
        async with asyncio.timeout_at(deadline):
            chunk: Chunk | None = await anext(stream, None)
            return chunk
    except TimeoutError:
        if optional:
            return None
        raise ProviderUnavailable("The provider fell silent in the middle of its answer.") from None
    except (openai.OpenAIError, ValueError) as error:
        if optional:
            return None
        raise translate(error) from error


class _Reply:
    """What has come so far."""

    def __init__(self, most_characters: int) -> None:
        self._parts: list[str] = []
        self._room = most_characters
        self._usage: Usage | None = None
        self._model: str | None = None
        self.alive = False
        self.finish_reason: FinishReason | None = None

    @property
    def complete(self) -> bool:
        """Nothing more is needed: it ended and the usage is known, or there is no room left."""
        return self._room <= 0 or (self.finish_reason is not None and self._usage is not None)

    def take(self, chunk: Chunk) -> str:
        """Note what the chunk says, and return its text. Servers leave out whatever they like, so nothing is sure."""
        self._model = chunk.get("model") or self._model
        if usage := chunk.get("usage"):
            self._usage = Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
        text = ""
        for choice in (chunk.get("choices") or ())[:1]:
            delta = choice.get("delta") or {}
            text = delta.get("content") or ""
            # Models that think aloud first are alive, though nothing of that is for the reader.
            self.alive = self.alive or bool(text or delta.get("reasoning_content"))
            if (reason := choice.get("finish_reason")) is not None:
                self.finish_reason = _REASONS.get(reason, "stop")
        text = text[: self._room]
        self._room -= len(text)
        if text:
            self._parts.append(text)
        return text

    def finished(self, question: Question, messages: list[Message], model: str) -> Finished:
        text = "".join(self._parts)
        reason: FinishReason | None = "length" if self._room <= 0 else self.finish_reason
        if reason is None:
            raise ProviderUnavailable("The provider broke off in the middle of its answer.")
        if not text.strip():
            if reason == "filter":
                raise ProviderRefused("content_filter", "The provider's content filter withheld the answer.")
            raise ProviderUnavailable("The provider answered with nothing.")
        return Finished(
            text=text,
            sources=cited(text, question.material),
            usage=self._usage or estimate_usage([message["content"] for message in messages], text),
            model=self._model or model,
            finish_reason=reason,
        )
