"""Small work beside the main line: started, kept alive, and waited for at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Aside:
    """Tasks that nobody awaits one by one. The loop itself would keep only weak references to them."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
