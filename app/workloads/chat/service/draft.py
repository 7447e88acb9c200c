"""A reply as it grows: what of it is kept at its good end, and what where it is cancelled."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from app.engine.context import JobContext
from app.engine.outcomes import Done, Write
from app.llm.port import Finished, Question, Source, Usage
from app.llm.tokens import estimate_usage
from app.workloads.chat.models import REPLY
from app.workloads.chat.schemas import ChatReply, ReplySource, ReplyUsage, stored
from app.workloads.chat.store import Agent, OpenTurn


class Draft:
    """One delivery's reply to one turn."""

    def __init__(self, ctx: JobContext, asked: OpenTurn, agent: Agent, provider: str) -> None:
        self._ctx = ctx
        self._asked = asked
        self._agent = agent
        self._provider = provider
        self._text: list[str] = []
        self._question: Question | None = None
        self._before = Usage(0, 0)

    def begin(self, question: Question, before: Usage) -> None:
        """This is what is asked; `before` is what summing up the past has cost."""
        self._question = question
        self._before = before

    def add(self, text: str) -> str:
        """The text as it can be stored: a model may write what no database text holds."""
        whole = text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        self._text.append(whole)
        return whole

    @property
    def text(self) -> str:
        return "".join(self._text)

    def done(self, finished: Finished) -> Done:
        return self._kept(finished.finish_reason, finished.sources, finished.model, self._total(finished.usage))

    def cancelled(self) -> Done:
        """As much as there is, marked as such; nothing where nothing was said yet."""
        if not self._text:
            return Done()
        return self._kept("cancelled", (), self._agent.model, self.spent())

    def spent(self) -> Usage:
        """An estimate of what was asked and said so far, where no provider counts any more."""
        if self._question is None:
            return self._before
        question = self._question
        asked = [question.system, question.user, *(turn.content for turn in question.history)]
        return self._total(estimate_usage([*asked, *(source.quote for source in question.material)], self.text))

    def usage_row(self, usage: Usage, model: str | None) -> dict[str, Any]:
        return {
            "job_id": self._ctx.job_id,
            "attempt": self._ctx.attempt,
            "provider": self._provider,
            "model": model,
            **asdict(usage),
        }

    def _total(self, usage: Usage) -> Usage:
        return Usage(
            self._before.input_tokens + usage.input_tokens,
            self._before.output_tokens + usage.output_tokens,
            self._before.estimated or usage.estimated,
        )

    def _kept(
        self,
        why: Literal["stop", "length", "filter", "cancelled"],
        sources: tuple[Source, ...],
        model: str | None,
        usage: Usage,
    ) -> Done:
        reply = ChatReply(
            reply=self.text,
            session_id=self._asked.session_id,
            turn=self._asked.turn,
            partial=why == "cancelled",
            finish_reason=why,
            sources=[ReplySource(**asdict(source)) for source in sources],
            provider=self._provider,
            model=model,
            agent=self._agent.name,
            usage=ReplyUsage(**asdict(usage)),
        )
        message = {
            "lane_id": self._asked.lane_id,
            "turn": self._asked.turn,
            "place": REPLY,
            "content": reply.reply,
            "job_id": self._ctx.job_id,
            "partial": reply.partial,
            "sources": [source.model_dump() for source in reply.sources],
            "provider": self._provider,
            "model": model,
        }
        usage_row = Write("llm_usage", self.usage_row(usage, model), or_ignore=True)
        return Done(stored(reply), writes=[Write("chat_messages", message), usage_row])
