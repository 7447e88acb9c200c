"""`homeroom`: everything that a person or an orchestrator starts."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from app import __version__
from app.core.exit import exit_when_misconfigured


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    with exit_when_misconfigured():
        code: int | None = options.run(options)
    return code or 0


# Each command imports what it needs: a worker loads no web framework, the launcher no worker.


def _up(options: argparse.Namespace) -> int:
    from app.core.up import run_up  # noqa: PLC0415

    return run_up(data_dir=options.data_dir, port=options.port, ready_file=options.ready_file)


def _api(_options: argparse.Namespace) -> None:
    import uvicorn  # noqa: PLC0415

    from app.core.config import load_settings  # noqa: PLC0415

    settings = load_settings()
    uvicorn.run(
        "app.main:app",
        host=settings.api.host,
        port=settings.api.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def _worker(options: argparse.Namespace) -> None:
    from app.core.worker.run import run  # noqa: PLC0415

    run(options.name)


def _migrate(options: argparse.Namespace) -> None:
    from app.core.config import load_settings  # noqa: PLC0415
    from app.core.migrate import migrate, required_revision  # noqa: PLC0415

    migrate(load_settings().database.url, options.revision)
    print(f"the schema is at {required_revision() if options.revision == 'head' else options.revision}")


def _tenant(options: argparse.Namespace) -> None:
    from app.core.administration import create_tenant  # noqa: PLC0415

    made = asyncio.run(create_tenant(options.tenant))
    print(f"tenant {options.tenant} {'created' if made else 'existed already'}")


def _key(options: argparse.Namespace) -> None:
    from app.core.administration import create_key  # noqa: PLC0415

    print(asyncio.run(create_key(options.tenant, name=options.name, scopes=options.scope)))
    print("This key is shown once; keep it.", file=sys.stderr)


def _workloads(options: argparse.Namespace) -> None:
    from app.core.migrate import ROOT  # noqa: PLC0415
    from app.core.scaffold import write_missing  # noqa: PLC0415
    from app.workloads import WORKLOADS  # noqa: PLC0415

    if options.write:
        print("\n".join(write_missing(ROOT)) or "nothing was missing")
        return
    print(f"{'queue':<12}{'redis db':<10}{'slots':<7}{'grace':<8}summary")
    for each in WORKLOADS:
        print(f"{each.name:<12}{each.redis_db:<10}{each.concurrency:<7}{each.grace:<8g}{each.summary}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="homeroom", description="A multi-tenant job backend for AI classrooms.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start everything on this machine, servers included")
    up.add_argument("--data-dir", type=Path, default=Path(".homeroom"), help="where data stays (default: .homeroom)")
    up.add_argument("--port", type=int, default=8000, help="the API's port; 0 picks a free one (default: 8000)")
    up.add_argument("--ready-file", type=Path, help="write url, keys and pids to this file when all of it is ready")
    up.set_defaults(run=_up)

    commands.add_parser("api", help="run the API").set_defaults(run=_api)

    worker = commands.add_parser("worker", help="run one queue's worker")
    worker.add_argument("name", help="the queue; `homeroom workloads` lists them")
    worker.set_defaults(run=_worker)

    migrate = commands.add_parser("migrate", help="bring the database's schema up to this release")
    migrate.add_argument("--revision", default="head")
    migrate.set_defaults(run=_migrate)

    tenant = commands.add_parser("tenant", help="register a tenant")
    tenant.add_argument("tenant")
    tenant.set_defaults(run=_tenant)

    key = commands.add_parser("key", help="make an API key for a tenant")
    key.add_argument("tenant")
    key.add_argument("--name", default="cli")
    key.add_argument("--scope", action="append", help="jobs:read, jobs:write, admin, operator; may be repeated")
    key.set_defaults(run=_key)

    workloads = commands.add_parser("workloads", help="list the queues")
    workloads.add_argument("--write", action="store_true", help="write the files that a new queue's spec implies")
    workloads.set_defaults(run=_workloads)
    return parser


if __name__ == "__main__":
    sys.exit(main())
