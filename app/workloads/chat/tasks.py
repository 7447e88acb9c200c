"""Job functions of the chat queue."""

from __future__ import annotations

from app.engine.context import JobContext
from app.engine.outcomes import Done
from app.workloads.chat.service.answering import answer
from app.workloads.chat.tools import Tools


async def reply(ctx: JobContext, tools: Tools) -> Done:
    """One turn of a conversation."""
    return await answer(ctx, tools)
