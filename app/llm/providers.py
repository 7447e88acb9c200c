"""The providers of one process, one for each server and key, so that connections are kept from call to call."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.llm.config import ProviderConfig
from app.llm.local import LocalProvider
from app.llm.port import Provider

KEPT = 64  # tenants with a server or key of their own whose connections are kept


@dataclass(slots=True)
class _Kept:
    provider: Provider
    users: int = 0


class Providers:
    """Lends a provider per configuration; those that nobody used for longest are closed first."""

    def __init__(self, *, kept: int = KEPT) -> None:
        self._local = LocalProvider()
        self._kept: OrderedDict[ProviderConfig, _Kept] = OrderedDict()
        self._most = kept

    @asynccontextmanager
    async def lend(self, config: ProviderConfig | None) -> AsyncIterator[Provider]:
        """The provider for this configuration; without one, the local one."""
        if config is None:
            yield self._local
            return
        kept, made = self._kept.get(config), None
        if kept is None:
            # The client library and its certificates take a third of a second to load: not on the loop.
            made = await asyncio.to_thread(_make, config)
            kept = self._kept.setdefault(config, _Kept(made))
        kept.users += 1
        self._kept.move_to_end(config)
        try:
            if made is not None and made is not kept.provider:  # somebody who came at the same time was faster
                await made.close()
            yield kept.provider
        finally:
            kept.users -= 1
            await self._close_surplus()

    async def close(self) -> None:
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.provider.close()

    async def _close_surplus(self) -> None:
        while len(self._kept) > self._most:
            idle = next((config for config, kept in self._kept.items() if kept.users == 0), None)
            if idle is None:
                return
            await self._kept.pop(idle).provider.close()


def _make(config: ProviderConfig) -> Provider:
    from app.llm.compatible import CompatibleProvider  # noqa: PLC0415 - 25 MiB that a deployment without a key saves

    return CompatibleProvider(config)
