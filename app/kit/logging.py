"""Structured logs: JSON lines in production, readable lines in a terminal. Context travels in contextvars.

Our own lines go straight to standard error; what libraries log takes the way over `logging` and comes out alike. A line
costs a few microseconds, which is what a small job costs too: hence few processors, and each does all that it can.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import structlog

_context: ContextVar[dict[str, Any] | None] = ContextVar("log_context", default=None)


def bind_log_context(**fields: Any) -> None:
    """Say these fields with every line of the rest of this task."""
    _context.set(fields)


def log_context() -> dict[str, Any]:
    """What is said with every line here."""
    return dict(_context.get() or {})


def configure_logging(*, level: str, json_lines: bool) -> None:
    """Send our own logs and those of libraries to standard error."""
    render: Any = _as_json
    factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    if not json_lines:
        render = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=[_say, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    _configure_libraries(level, render)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return logger


def _say(_logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What every line says beside its own words."""
    said = structlog.contextvars.get_contextvars()
    said |= _context.get() or {}
    said |= event
    said["level"] = "error" if method == "exception" else method
    said["timestamp"] = datetime.now(UTC).isoformat()
    return said


def _as_json(logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(logger, method, event)
    return orjson.dumps(event, default=_plainly, option=orjson.OPT_NON_STR_KEYS)


def _plainly(value: Any) -> str:
    return str(value) if isinstance(value, UUID) else repr(value)


def _configure_libraries(level: str, render: Any) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_say, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render, _text],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for chatty in ("arq", "uvicorn.access", "asyncio", "httpx", "httpcore", "openai"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)  # an outage is told once, by whoever needed the server


def _text(_logger: Any, _method: str, line: Any) -> str:
    return line.decode() if isinstance(line, bytes) else line
