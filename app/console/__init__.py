"""The operators' console: static files that use the public API and nothing else.

There is nothing to build and nothing to fetch from elsewhere. What a page may do is told to the browser by the
strictest policy that it can work under: scripts and styles are files of ours, and requests go to this origin.
"""

from __future__ import annotations

import mimetypes
from os import PathLike, stat_result
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ADDRESS = "/console"
FILES = Path(__file__).parent / "static"

# `blob:` is what the page itself has fetched with a key: an upload's page beside what was read of it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
    "frame-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",  # kept, and asked for by its ETag: a page is never made of two versions for long
}

# Not as the machine's registry may have it: a browser runs no module that is called `text/plain`.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("image/svg+xml", ".svg")


def mount_console(app: FastAPI) -> None:
    app.mount(ADDRESS, GZipMiddleware(_ConsoleFiles(directory=FILES, html=True)), name="console")


class _ConsoleFiles(StaticFiles):
    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response
