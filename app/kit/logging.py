"""Structured logs: JSON lines in production, readable lines in a terminal. Context travels in contextvars.

Our own lines go straight to standard error; what libraries log takes the way over `logging` and comes out alike. A line
costs a few microseconds, which is what a small job costs too: hence the short way.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import orjson
import structlog

_context: ContextVar[dict[str, Any] | None] = ContextVar("log_context", default=None)


def bind_log_context(**fields: Any) -> None:
    """Say these fields with every line of the rest of this task."""
    _context.set(fields)


def log_context() -> dict[str, Any]:
    """What is said with every line here."""
    return dict(_context.get() or {})


def _merge_context(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    bound = _context.get()
    return {**bound, **event} if bound else event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    _merge_context,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(*, level: str, json_lines: bool) -> None:
    """Send our own logs and those of libraries to standard error."""
    if json_lines:
        final: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
        factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        final = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=[*_SHARED, *final],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    _configure_libraries(level, final)


def _configure_libraries(level: str, final: list[Any]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final, _text],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for chatty in ("arq", "uvicorn.access", "asyncio", "httpx", "httpcore", "openai"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)  # an outage is told once, by whoever needed the server


def _json(event: MutableMapping[str, Any], **_options: Any) -> bytes:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS)


def _text(_logger: Any, _method: str, line: Any) -> str:
    return line.decode() if isinstance(line, bytes) else line


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return logger
