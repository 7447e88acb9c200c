"""What holds of every queue, today's and tomorrow's."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from app.core import queue
from app.core.config import load_settings
from app.core.worker.build import HOST_QUEUE, build
from app.engine.diagnostics import KINDS
from app.engine.workload import JobKind, Registry, Workload, resolve
from app.kit.redis import place
from app.workloads import WORKLOADS
from tests.support.deployment import only_environment

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"DATABASE_URL": "postgresql://app@localhost/app", "REDIS_URL": "redis://localhost"}
CURE = "Cure: run `homeroom workloads --write`."
ALL_KINDS = [*KINDS, *(kind for workload in WORKLOADS for kind in workload.kinds)]

every_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
every_kind = pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.name)


def test_names_and_databases_are_unique_and_leave_the_shared_database_alone() -> None:
    assert len({workload.name for workload in WORKLOADS}) == len(WORKLOADS)
    databases = [workload.redis_db for workload in WORKLOADS]
    assert len(set(databases)) == len(databases)
    assert 0 not in databases


def test_no_kind_belongs_to_two_queues() -> None:
    registry = Registry(WORKLOADS, KINDS)
    assert len(registry.all_kinds()) == len(ALL_KINDS)


def test_the_outbox_is_relayed() -> None:
    assert any(workload.relays_outbox for workload in WORKLOADS)


@every_workload
def test_a_queue_has_its_page(workload: Workload) -> None:
    page = (ROOT / "app" / "workloads" / workload.name / "README.md").read_text()
    assert page.startswith(f"# {workload.name}")
    for subject in ("REDIS_DB", "REDIS_URL", "CONCURRENCY"):
        assert f"{workload.name.upper()}_{subject}" in page, subject
    assert "## Runbook" in page


@every_workload
def test_a_queue_has_a_placeholder_that_is_empty_until_the_lifespan_fills_it(workload: Workload) -> None:
    assert f"{workload.name}_pool: ArqRedis | None = None" in (ROOT / "app/core/queue.py").read_text(), CURE
    with pytest.raises(queue.QueueNotReady, match="Cure"):
        queue.get(workload.name)


@every_workload
def test_a_queue_has_a_run_script_and_a_settings_module(workload: Workload) -> None:
    script = ROOT / workload.run_script
    assert script.exists(), CURE
    assert f'"{workload.name}"' in script.read_text()
    with only_environment(ENVIRONMENT):
        module = importlib.import_module(f"app.core.worker.{workload.name}")
    assert module.WorkerSettings.__dict__["redis_settings"].database == workload.redis_db


@every_workload
def test_settings_for_arq_stand_in_the_class_itself_and_follow_the_spec(workload: Workload) -> None:
    with only_environment(ENVIRONMENT):
        settings: dict[str, Any] = dict(build(workload.name).__dict__)
    assert settings["redis_settings"].database == workload.redis_db
    assert settings["max_jobs"] == workload.concurrency
    assert settings["queue_name"] == HOST_QUEUE  # a stock worker hosts ours; it must not read the queue as well
    assert {function.name for function in settings["functions"]} >= {"whoami"}
    assert "pickle" not in settings["job_serializer"].__module__


@every_workload
def test_the_environment_moves_a_queue(workload: Workload) -> None:
    name = workload.name.upper()
    moved = {"REDIS_URL": "redis://elsewhere:7000/4", "CONCURRENCY": "7", "GRACE_SECONDS": "1.5", "PROBE_PORT": "9103"}
    with only_environment(ENVIRONMENT | {f"{name}_{subject}": value for subject, value in moved.items()}):
        where = load_settings().queues[workload.name]
    assert place(where.redis_url) == ("elsewhere", 7000, 4)
    assert (where.concurrency, where.grace, where.probe_port) == (7, 1.5, 9103)


@every_workload
def test_running_jobs_get_their_grace(workload: Workload) -> None:
    assert workload.grace > 0
    assert workload.concurrency >= 1
    assert workload.scaling.min_replicas <= workload.scaling.max_replicas


@every_workload
def test_plain_functions_are_coroutines_with_arq_s_context(workload: Workload) -> None:
    for path in workload.functions:
        assert_takes_context(resolve(path))


@every_kind
def test_a_kind_is_named_by_subject_and_verb(kind: JobKind) -> None:
    subject, _, verb = kind.name.partition(".")
    assert subject.isidentifier()
    assert verb.isidentifier()


@every_kind
def test_a_kind_s_task_is_a_coroutine_function_of_a_context(kind: JobKind) -> None:
    assert_takes_context(resolve(kind.task))


@every_kind
def test_a_kind_documents_itself(kind: JobKind) -> None:
    assert kind.summary
    assert kind.input.model_json_schema()
    assert kind.result.model_json_schema()


@every_kind
def test_a_kind_has_a_budget(kind: JobKind) -> None:
    assert kind.timeout > 0
    assert kind.max_attempts >= 1
    assert kind.backoff.first <= kind.backoff.cap


def assert_takes_context(function: Any) -> None:
    assert inspect.iscoroutinefunction(function)
    assert next(iter(inspect.signature(function).parameters)) == "ctx"


@every_workload
def test_schedules_do_what_there_is_and_are_named_after_their_queue(workload: Workload) -> None:
    registry = Registry(WORKLOADS)
    for schedule in workload.schedules:
        assert schedule.name.startswith(f"{workload.name}."), schedule.name
        if schedule.task is not None:
            assert inspect.iscoroutinefunction(resolve(schedule.task))
        else:
            assert schedule.kind in registry.kinds_of(workload.name)
    names = [schedule.name for each in WORKLOADS for schedule in each.schedules]
    assert len(names) == len(set(names))
