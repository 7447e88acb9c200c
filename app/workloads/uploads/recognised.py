"""The pages of an upload that were recognised before, beside its files: a second reading recognises none of them again.

They are a convenience. One that cannot be kept or read costs its recognition and nothing else, and they go with the
upload's folder. Each is written whole or not at all, so a delivery also finds what one that died had got to.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.kit.logging import get_logger
from app.storage.port import NotStored, Storage, read_all
from app.workloads.uploads.files import Place

LARGEST = 512 * 1024  # bytes of a page's text and boxes; an ordinary one has ten thousand

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A `PageMemory` in the folder of an upload."""

    storage: Storage
    tenant_id: str
    place: Place

    async def recall(self, name: str) -> bytes | None:
        try:
            return await read_all(self.storage, self.tenant_id, self.place.recognised(name))
        except NotStored:
            return None
        except Exception as error:
            log.warning("a recognised page cannot be read; it is recognised again", **self._told(error))
            return None

    async def keep(self, name: str, content: bytes) -> None:
        if len(content) > LARGEST:
            return
        try:
            await self.storage.put(self.tenant_id, self.place.recognised(name), content)
        except Exception as error:
            log.warning("a recognised page cannot be kept", **self._told(error))

    def _told(self, error: Exception) -> dict[str, str]:
        return {"folder": self.place.folder, "error": f"{type(error).__name__}: {error}"}
