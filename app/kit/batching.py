"""Group commit: while one batch is in flight the next one gathers.

An idle system adds no latency, and a busy one shares its round trips and its flushes. A batch that fails because of one
item is halved until only that item fails.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from app.kit.logging import get_logger

log = get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")

Waiting: TypeAlias = "list[tuple[T, asyncio.Future[R]]]"


class Batcher(Generic[T, R]):
    """Turns `run(items) -> results` into `await submit(item) -> result` for many callers at once.

    `then(results)` is what is still to be done before the callers hear: the next batch flies in the meantime.
    """

    def __init__(
        self,
        run: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        max_batch: int = 500,
        apart: float = 0.0,
        alone_at_once: bool = False,
        culprit_errors: tuple[type[Exception], ...] = (),
        then: Callable[[Sequence[R]], Awaitable[None]] | None = None,
    ) -> None:
        self._run = run
        self._max_batch = max_batch
        self._apart = apart  # seconds at least between two flights, for what may wait that long and is dear alone
        self._alone_at_once = alone_at_once  # an item that nobody waits beside need not
        self._next_at = 0.0
        self._culprit_errors = culprit_errors  # errors of one item's own making: halve and isolate
        self._then = then
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._flight: asyncio.Task[None] | None = None
        self._landings: set[asyncio.Task[None]] = set()

    async def submit(self, item: T) -> R:
        return await self.enqueue(item)

    def enqueue(self, item: T) -> asyncio.Future[R]:
        """Add an item and return its future: for callers that have several to add before they wait."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        return future

    @property
    def idle(self) -> bool:
        return self._flight is None and not self._landings

    async def drain(self) -> None:
        """Wait until all that was submitted has been answered."""
        while not self.idle:
            await asyncio.wait({*self._landings, *((self._flight,) if self._flight is not None else ())})

    async def _fly(self) -> None:
        try:
            while self._waiting:
                if self._apart:
                    await self._keep_apart()
                size = min(len(self._waiting), self._max_batch)
                batch = [self._waiting.popleft() for _ in range(size)]
                # A caller that gave up before its item was sent takes the item along.
                await self._settle([entry for entry in batch if not entry[1].cancelled()])
        finally:
            self._flight = None

    async def _keep_apart(self) -> None:
        loop = asyncio.get_running_loop()
        alone = self._alone_at_once and len(self._waiting) == 1
        if (wait := self._next_at - loop.time()) > 0 and not alone:
            await asyncio.sleep(wait)
        self._next_at = loop.time() + self._apart

    async def _settle(self, batch: Waiting[T, R]) -> None:
        if not batch:
            return
        try:
            results = await self._run([item for item, _ in batch])
        except self._culprit_errors as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            middle = len(batch) // 2
            await self._settle(batch[:middle])
            await self._settle(batch[middle:])
        except BaseException as error:
            _fail(batch, error)
            if not isinstance(error, Exception):
                raise
        else:
            if self._then is None:
                _answer(batch, results)
                return
            landing = asyncio.create_task(self._land(self._then, batch, results))
            self._landings.add(landing)
            landing.add_done_callback(self._landings.discard)

    @staticmethod
    async def _land(then: Callable[[Sequence[R]], Awaitable[None]], batch: Waiting[T, R], results: Sequence[R]) -> None:
        try:
            await then(results)
        except Exception:
            log.exception("what follows a batch failed; what the batch did is done, and answered")
        finally:
            _answer(batch, results)


def _answer(batch: Waiting[T, R], results: Sequence[R]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if not future.done():
            future.set_result(result)


def _fail(batch: Waiting[T, R], error: BaseException) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
