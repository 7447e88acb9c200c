"""What `homeroom up` says at the terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

GREEN, YELLOW, BOLD, PLAIN = "\033[32m", "\033[33m", "\033[1m", "\033[0m"

CURL = """\
curl -sS {url}/v1/jobs \\
    -H 'Authorization: Bearer {api_key}' \\
    -H 'Content-Type: application/json' \\
    -H 'Prefer: wait=10' \\
    -d '{{"kind":"diagnostics.echo","queue":"chat","input":{{"hello":"world"}}}}'"""


def fate(exit_code: int) -> str:
    """How a process ended, in words."""
    if exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"


class Report:
    """Lines for people, flushed at once. A reader that went away (a closed terminal, `| head`) stops nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ

    def opening(self, data_dir: Path) -> None:
        self._line(f"{self._paint('Homeroom', BOLD)} starts on {data_dir}")

    def columns(self) -> None:
        self._line(f"\n  {'part':<12} {'state':<8} {'pid':>7} {'port':>6} {'time':>8}")

    def ready(self, part: str, *, pid: int | None, port: int | None, seconds: float) -> None:
        state = self._paint(f"{'ready':<8}", GREEN)
        self._line(f"  {part:<12} {state} {pid or '':>7} {port or '':>6} {seconds:>6.1f} s")

    def trouble(self, part: str, what: str, *, retry_in: float) -> None:
        state = self._paint(f"{'down':<8}", YELLOW)
        self._line(f"  {part:<12} {state} {what}; starts again in {retry_in:.1f} s")

    def note(self, text: str) -> None:
        self._line(f"  {text}")

    def failure(self, text: str) -> None:
        sys.stderr.write(f"homeroom up: {text}\n")

    def welcome(self, announcement: Mapping[str, str], *, data_dir: Path, log_dir: Path) -> None:
        """Where everything is, and a request that works as it stands."""
        url, api_key = announcement["url"], announcement["api_key"]
        self._line(f"""
{self._paint("Homeroom is up", BOLD)} at {self._paint(url, GREEN)}

  console      {url}/console  (sign in with the admin key)
  docs         {url}/docs and {url}/redoc
  tenant       {announcement["tenant"]}
  API key      {api_key}
  admin key    {announcement["admin_key"]}  (header X-Admin-Key)
  data         {data_dir}
  logs         {log_dir}

Try it:

  {CURL.format(url=url, api_key=api_key)}

Ctrl-C stops everything; the data stay.
""")

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._coloured else text

    def _line(self, text: str) -> None:
        try:
            print(text, file=self._stream, flush=True)
        except OSError:
            # Whatever is still buffered must go somewhere, or the interpreter fails over it at its end.
            with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device, not a file of ours
                os.dup2(nowhere.fileno(), self._stream.fileno())
