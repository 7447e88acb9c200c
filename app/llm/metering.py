"""What calls of models take: time, tokens, and how they end. The names are OpenTelemetry's, in Prometheus' form.

No label names a model: tenants bring their own, and there is no end to their names.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Final

from app.kit.metrics import Distribution, Meter
from app.llm.port import (
    Delta,
    Extracted,
    Extractor,
    Finished,
    Provider,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    Question,
    Shape,
    Source,
    Usage,
)

PROVIDER: Final = "gen_ai_provider_name"
OPERATION: Final = "gen_ai_operation_name"
TOKENS: Final = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0)

REPLY: Final = "chat"
FORM: Final = "generate_content"


@dataclass(slots=True)
class Call:
    started: float
    first: float | None = None  # when its reply began
    used: Usage | None = None  # what a whole reply cost: whoever has it all may go before the end


class ModelMetrics:
    """Of all models that a process asks."""

    def __init__(self, meter: Meter) -> None:
        self._durations = Distribution(
            "gen_ai_client_operation_duration_seconds",
            "How long calls of a model took, by how they ended.",
            [OPERATION, PROVIDER, "error_type"],
            registry=meter.registry,
        )
        self._first = Distribution(
            "gen_ai_client_operation_time_to_first_chunk_seconds",
            "From a call to the first piece of its reply.",
            [OPERATION, PROVIDER],
            registry=meter.registry,
        )
        self._tokens = Distribution(
            "gen_ai_client_token_usage",
            "Tokens of a call, as the provider counted them or, where it did not, as we estimate.",
            [OPERATION, PROVIDER, "gen_ai_token_type"],
            registry=meter.registry,
            bounds=TOKENS,
        )

    def metered(self, provider: Provider) -> Provider:
        """The same provider, counted; one that fills in forms still does."""
        return (
            MeteredExtractor(provider, provider, self) if isinstance(provider, Extractor) else Metered(provider, self)
        )

    @contextmanager
    def call(self, operation: str, provider: str) -> Iterator[Call]:
        call, failed = Call(time.monotonic()), "broken_off"
        try:
            yield call
        except (asyncio.CancelledError, GeneratorExit):
            failed = "cancelled"  # by whoever asked, or by its patience
            raise
        except ProviderError as error:
            failed = _name(error)
            raise
        finally:
            self._note(call, operation, provider, "" if call.used is not None else failed)

    def _note(self, call: Call, operation: str, provider: str, failed: str) -> None:
        self._durations.of(operation, provider, failed).add((time.monotonic() - call.started,))
        if call.first is not None:
            self._first.of(operation, provider).add((call.first - call.started,))
        if call.used is not None:
            self._tokens.of(operation, provider, "input").add((call.used.input_tokens,))
            self._tokens.of(operation, provider, "output").add((call.used.output_tokens,))


class Metered:
    """A provider whose calls are counted."""

    def __init__(self, provider: Provider, metrics: ModelMetrics) -> None:
        self.name = provider.name
        self._provider = provider
        self._metrics = metrics

    async def answer(self, question: Question) -> AsyncGenerator[Delta | Finished, None]:
        with self._metrics.call(REPLY, self.name) as call:
            async with aclosing(self._provider.answer(question)) as pieces:
                async for piece in pieces:
                    if call.first is None:
                        call.first = time.monotonic()
                    if isinstance(piece, Finished):
                        call.used = piece.usage
                    yield piece

    async def close(self) -> None:
        await self._provider.close()


class MeteredExtractor(Metered):
    """One that can also fill in a form."""

    def __init__(self, provider: Provider, extractor: Extractor, metrics: ModelMetrics) -> None:
        super().__init__(provider, metrics)
        self._extractor = extractor

    async def extract(
        self, shape: type[Shape], *, task: str, material: tuple[Source, ...], max_output_tokens: int = 4096
    ) -> Extracted[Shape]:
        with self._metrics.call(FORM, self.name) as call:
            extracted = await self._extractor.extract(
                shape, task=task, material=material, max_output_tokens=max_output_tokens
            )
            call.used = extracted.usage
            return extracted


def _name(error: ProviderError) -> str:
    if isinstance(error, ProviderBusy):
        return "busy"
    return "refused" if isinstance(error, ProviderRefused) else "unavailable"
