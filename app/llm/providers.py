"""The providers of one process, one for each server and key, so that connections are kept from call to call."""

from __future__ import annotations

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
        self._kept: OrderedDict[ProviderConfig | None, _Kept] = OrderedDict()
        self._most = kept

    @asynccontextmanager
    async def lend(self, config: ProviderConfig | None) -> AsyncIterator[Provider]:
        """The provider for this configuration; without one, the local one."""
        kept = self._kept.get(config)
        if kept is None:
            kept = self._kept[config] = _Kept(_make(config))
        self._kept.move_to_end(config)
        kept.users += 1
        try:
            yield kept.provider
        finally:
            kept.users -= 1
            await self._close_surplus()

    async def close(self) -> None:
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.provider.close()

    async def _close_surplus(self) -> None:
        idle = [config for config, kept in self._kept.items() if kept.users == 0]
        for config in idle[: max(len(self._kept) - self._most, 0)]:
            await self._kept.pop(config).provider.close()


def _make(config: ProviderConfig | None) -> Provider:
    if config is None:
        return LocalProvider()
    from app.llm.compatible import CompatibleProvider  # noqa: PLC0415 - 25 MiB that a deployment without a key saves

    return CompatibleProvider(config)
