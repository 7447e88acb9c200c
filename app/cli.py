"""`homeroom`: everything that a person or an orchestrator starts."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from app import __version__
from app.core.exit import exit_when_misconfigured

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name
Run: TypeAlias = Callable[[argparse.Namespace], "int | None"]


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


def _chat(options: argparse.Namespace) -> int:
    from app.client.terminal import run_chat  # noqa: PLC0415

    return run_chat(options)


def _tenant_create(options: argparse.Namespace) -> None:
    from app.core.administration import create_tenant  # noqa: PLC0415

    made = asyncio.run(create_tenant(options.tenant))
    print(f"tenant {options.tenant} {'created' if made else 'existed already'}")


def _tenant_list(_options: argparse.Namespace) -> None:
    from app.core.administration import list_tenants  # noqa: PLC0415

    for each in asyncio.run(list_tenants()):
        state = "erased" if each.erased_at and not each.enabled else "enabled" if each.enabled else "disabled"
        print(f"{each.tenant_id:<64}  {state:<8}  {each.created_at:%Y-%m-%d}")


def _tenant_disable(options: argparse.Namespace) -> None:
    from app.core.administration import disable_tenant  # noqa: PLC0415

    asyncio.run(disable_tenant(options.tenant))
    print(f"tenant {options.tenant} is disabled; its keys work no more. Nothing of it is erased.")


def _tenant_export(options: argparse.Namespace) -> None:
    from app.core.departure import export_tenant  # noqa: PLC0415

    rows, files = asyncio.run(export_tenant(options.tenant, options.folder))
    print(f"{rows} rows and {files} files of {options.tenant} are in {options.folder}; secrets are left out")


def _tenant_erase(options: argparse.Namespace) -> None:
    from app.core.departure import erase_tenant  # noqa: PLC0415

    rows, files = asyncio.run(erase_tenant(options.tenant, options.confirm))
    for table, count in rows.items():
        print(f"{count:>8}  {table}")
    print(f"{sum(rows.values())} rows and {files} files of {options.tenant} are gone; its audit log stays")


def _key_create(options: argparse.Namespace) -> None:
    from app.core.administration import create_key  # noqa: PLC0415

    made = create_key(options.tenant, name=options.name, scopes=options.scope, expires_in=options.expires_in)
    print(asyncio.run(made))
    print("This key is shown once; keep it.", file=sys.stderr)


def _key_list(options: argparse.Namespace) -> None:
    from app.core.administration import list_keys  # noqa: PLC0415

    for each in asyncio.run(list_keys(options.tenant)):
        moments = {"expires": each.expires_at, "revoked": each.revoked_at, "used": each.last_used_at}
        story = ", ".join(f"{word} {moment:%Y-%m-%d %H:%M}Z" for word, moment in moments.items() if moment is not None)
        print(f"{each.key_id}  {','.join(each.scopes):<32}  {each.name}{f'  ({story})' if story else ''}")


def _key_revoke(options: argparse.Namespace) -> None:
    from app.core.administration import revoke_key  # noqa: PLC0415

    asyncio.run(revoke_key(options.tenant, options.key_id))
    print(f"key {options.key_id} of {options.tenant} is revoked; running processes heed it within 5 s")


def _rewrap(_options: argparse.Namespace) -> None:
    from app.core.administration import rewrap_data_keys  # noqa: PLC0415

    print(f"{asyncio.run(rewrap_data_keys())} data keys were put under the current master key")


def _audit(_options: argparse.Namespace) -> int:
    from app.core.inspection import INVARIANTS, audit_ledger  # noqa: PLC0415

    found = asyncio.run(audit_ledger())
    for invariant, says in INVARIANTS.items():
        count = sum(finding.invariant == invariant for finding in found)
        print(f"{invariant}  {says:<44}  {f'{count} VIOLATIONS' if count else 'holds'}")
    for finding in found:
        print(f"{finding.invariant}  {finding.name}  {finding.subject}: {finding.detail}", file=sys.stderr)
    return int(bool(found))


def _audit_verify(options: argparse.Namespace) -> int:
    from app.core.administration import verify_audit  # noqa: PLC0415

    verdicts = asyncio.run(verify_audit(options.tenant))
    for each in verdicts:
        state = "whole" if each.first_broken is None else f"BROKEN from entry {each.first_broken}"
        print(f"{each.tenant_id:<64}  {each.entries:>8} entries  {state}")
    return int(any(each.first_broken is not None for each in verdicts))


def _environment(options: argparse.Namespace) -> None:
    from app.core.up.variables import environment_of  # noqa: PLC0415

    print(environment_of(options.data_dir))


def _doctor(options: argparse.Namespace) -> int:
    from app.core.doctor.examine import examine  # noqa: PLC0415
    from app.core.doctor.report import as_json, as_text, is_healthy  # noqa: PLC0415

    findings = asyncio.run(examine())
    print(as_json(findings) if options.json else as_text(findings))
    return int(not is_healthy(findings))


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


def _manifests(options: argparse.Namespace) -> int:
    from app.core import manifests  # noqa: PLC0415

    changed = manifests.stale(options.out) if options.check else manifests.write(options.out)
    print("\n".join(changed) or "nothing had changed")
    return int(options.check and bool(changed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="homeroom", description="A multi-tenant job backend for AI classrooms.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start everything on this machine, servers included")
    up.add_argument("--data-dir", type=Path, default=Path(".homeroom"), help="where data stays (default: .homeroom)")
    up.add_argument("--port", type=int, default=8000, help="the API's port; 0 picks a free one (default: 8000)")
    up.add_argument("--ready-file", type=Path, help="write url, keys and pids to this file when all of it is ready")
    up.set_defaults(run=_up)

    environment = commands.add_parser("environment", help="print what a running `up` works with, for a shell's eval")
    environment.add_argument(
        "--data-dir", type=Path, default=Path(".homeroom"), help="that `up`'s (default: .homeroom)"
    )
    environment.set_defaults(run=_environment)

    commands.add_parser("api", help="run the API").set_defaults(run=_api)

    worker = commands.add_parser("worker", help="run one queue's worker")
    worker.add_argument("name", help="the queue; `homeroom workloads` lists them")
    worker.set_defaults(run=_worker)

    migrate = commands.add_parser("migrate", help="bring the database's schema up to this release")
    migrate.add_argument("--revision", default="head")
    migrate.set_defaults(run=_migrate)

    doctor = commands.add_parser("doctor", help="look at all that a deployment stands on; exit code 1 where it fails")
    doctor.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    doctor.set_defaults(run=_doctor)

    _add_chat(commands)
    _add_administration(commands)

    workloads = commands.add_parser("workloads", help="list the queues")
    workloads.add_argument("--write", action="store_true", help="write the files that a new queue's spec implies")
    workloads.set_defaults(run=_workloads)

    manifests = commands.add_parser("manifests", help="render docker-compose.yml and deploy/ from the workloads' specs")
    manifests.add_argument("--check", action="store_true", help="write nothing; exit code 1 where a file is stale")
    manifests.add_argument("--out", type=Path, default=Path(), help="the project's root (default: this folder)")
    manifests.set_defaults(run=_manifests)
    return parser


def _add_chat(commands: Commands) -> None:
    chat = commands.add_parser("chat", help="talk with the tutor at the terminal")
    chat.add_argument("--url", help="where the API is (or HOMEROOM_URL)")
    chat.add_argument("--key", help="an API key (better HOMEROOM_API_KEY: a command line is seen by others)")
    known = Path(".homeroom/ready.json")
    chat.add_argument("--ready-file", type=Path, default=known, help=f"what `homeroom up` wrote (default: {known})")
    who = chat.add_mutually_exclusive_group()
    who.add_argument("--student", metavar="ID", help="speak as this student (default: guest)")
    who.add_argument("--teacher", metavar="ID", help="speak as this teacher")
    chat.add_argument("--session", help="go on with this session, or begin it")
    chat.add_argument("--agent", help="one of /v1/agents")
    chat.add_argument("--once", metavar="QUESTION", help="ask this, print the reply, and end; `-` reads it from stdin")
    chat.set_defaults(run=_chat)


def _add_administration(commands: Commands) -> None:
    tenant = commands.add_parser("tenant", help="register, list, disable, export and erase tenants")
    verbs = tenant.add_subparsers(required=True, metavar="VERB")
    for verb, run, summary in (
        ("create", _tenant_create, "register a tenant"),
        ("disable", _tenant_disable, "serve a tenant no more; nothing is erased"),
    ):
        _add_verb(verbs, verb, run, summary).add_argument("tenant", metavar="ID")
    _add_verb(verbs, "list", _tenant_list, "show every tenant")
    export = _add_verb(verbs, "export", _tenant_export, "write all that is kept of a tenant into a new folder")
    export.add_argument("tenant", metavar="ID")
    export.add_argument("folder", type=Path, metavar="FOLDER")
    erase = _add_verb(verbs, "erase", _tenant_erase, "erase a disabled tenant for ever, its files too")
    erase.add_argument("tenant", metavar="ID")
    erase.add_argument("--confirm", default="", metavar="ID", help="the id once more: an erasure has to be meant")

    key = commands.add_parser("key", help="make, list and revoke a tenant's API keys")
    verbs = key.add_subparsers(required=True, metavar="VERB")
    create = _add_verb(verbs, "create", _key_create, "make a key, which is shown once")
    create.add_argument("tenant", metavar="TENANT")
    create.add_argument("--name", default="cli", help="what uses it (default: cli)")
    create.add_argument("--scope", action="append", help="jobs:read, jobs:write, admin, operator; may be repeated")
    create.add_argument("--expires-in", type=float, metavar="DAYS", help="without it the key works until it is revoked")
    _add_verb(verbs, "list", _key_list, "show a tenant's keys").add_argument("tenant", metavar="TENANT")
    revoke = _add_verb(verbs, "revoke", _key_revoke, "end a key")
    revoke.add_argument("tenant", metavar="TENANT")
    revoke.add_argument("key_id", metavar="KEY_ID")

    master_key = commands.add_parser("master-key", help="rotate the master key")
    verbs = master_key.add_subparsers(required=True, metavar="VERB")
    _add_verb(verbs, "rewrap", _rewrap, "put every tenant's data key under MASTER_KEY, off MASTER_KEY_PREVIOUS")

    audit = commands.add_parser("audit", help="count violations of the invariants: exit code 1 where there is one")
    audit.set_defaults(run=_audit)
    verbs = audit.add_subparsers(metavar="VERB")
    verify = _add_verb(verbs, "verify", _audit_verify, "exit code 1 where an entry was changed, dropped or slipped in")
    verify.add_argument("tenant", nargs="?", metavar="TENANT", help="one tenant's log, or `-`; all by default")


def _add_verb(verbs: Commands, name: str, run: Run, summary: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=summary)
    verb.set_defaults(run=run)
    return verb


if __name__ == "__main__":
    sys.exit(main())
