"""Pages of jobs, newest first, at a cost that does not grow with the table.

Jobs fall into few groups of (tenant, queue, kind, status), and `jobs_by_group` holds each group newest first. A page is
merged from the heads of the groups that a filter lets through, whatever the filter: nothing is walked over in vain but
failed jobs where it names an error. Running jobs are not in that index, since they are few, and to move through it
would make every delivery dearer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.kit.db import Connection

NIL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class JobFilter:
    queue: str | None = None
    kind: str | None = None
    status: str | None = None
    lane: str | None = None
    created_after: datetime | None = None
    before: tuple[datetime, UUID] | None = None  # the last row of the page before
    limit: int = 20
    error: str | None = None  # of jobs that failed
    created_before: datetime | None = None


class Bound:
    """The parameters of one statement. Only what a filter names becomes part of the text: a condition that might be
    empty (`$1 is null or ...`) narrows no scan in a plan that serves any parameters."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def __call__(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def equal(self, alias: str, **wanted: Any) -> str:
        """Conditions for those that are not None."""
        return "".join(f" and {alias}.{name} = {self(value)}" for name, value in wanted.items() if value is not None)


async def page_of(
    connection: Connection, tenant_id: str | None, wanted: JobFilter, columns: str
) -> list[asyncpg.Record]:
    """One row more than the limit tells that there is a next page. No tenant: those of all tenants."""
    bound = Bound()
    status = wanted.status if wanted.error is None else "failed"
    if (wanted.status or status) != status:
        return []
    group = groups(bound, tenant_id, queue=wanted.queue, kind=wanted.kind, status=status)
    limit = bound(wanted.limit + 1)
    newest = f"order by j.created_at desc, j.job_id desc limit {limit}"
    times = _times(bound, wanted)
    if wanted.error is not None:
        times += f" and {has_error(bound, wanted.error)}"
    running = bound.equal("j", tenant_id=tenant_id, queue=wanted.queue, kind=wanted.kind, lane_id=wanted.lane)
    found = _in_groups(newest, times)
    if wanted.lane is not None:
        also = times + bound.equal("j", queue=wanted.queue, kind=wanted.kind, status=status)
        found = _in_lane(newest, f"j.lane_id = {bound(wanted.lane)}{also}")
    statement = f"""
with {group}, running as materialized (
    select j.job_id, j.tenant_id, j.status, j.error, j.created_at from jobs j where j.status = 'processing'{running}
), found as (
    {found}
    union all
    select j.job_id, j.tenant_id, j.created_at from running j where true{times}{bound.equal("j", status=status)}
), page as (
    select job_id, tenant_id, created_at as at from found order by created_at desc, job_id desc limit {limit}
)
select {columns} from page join jobs using (job_id, tenant_id) order by at desc, job_id desc
"""
    records: list[asyncpg.Record] = await connection.fetch(statement, *bound.values)
    return records


def groups(bound: Bound, tenant_id: str | None, **wanted: str | None) -> str:
    """A recursive query `tenant_group`, which steps from group to group: one look into the index for each."""
    columns, where = "tenant_id, queue, kind, status", ""
    if tenant_id is not None:
        columns, where = "queue, kind, status", f" and j.tenant_id = {bound(tenant_id)}"
    here = ", ".join(f"here.{column}" for column in columns.split(", "))
    there = ", ".join(f"j.{column}" for column in columns.split(", "))
    return f"""recursive here as (
    select '' as tenant_id, '' as queue, '' as kind, '' as status
    union all
    select next.* from here cross join lateral (
        select j.tenant_id, j.queue, j.kind, j.status from jobs j
        where j.status <> 'processing'{where} and ({there}) > ({here})
        order by j.tenant_id, j.queue, j.kind, j.status limit 1) next
), tenant_group as materialized (
    select * from here where tenant_id <> ''{bound.equal("here", **wanted)}
)"""


def has_error(bound: Bound, error: str) -> str:
    """As a plain `=` it would look rare to the planner, which then fetched and sorted the whole group."""
    return f"case when j.error = {bound(error)} then true end"


def _times(bound: Bound, wanted: JobFilter) -> str:
    condition = ""
    if wanted.created_after is not None:
        condition += f" and j.created_at > {bound(wanted.created_after)}"
    before = wanted.before or ((wanted.created_before, NIL) if wanted.created_before is not None else None)
    if before is not None:
        condition += f" and (j.created_at, j.job_id) < ({bound(before[0])}, {bound(before[1])})"
    return condition


def _in_groups(newest: str, conditions: str) -> str:
    return f"""select head.* from tenant_group g cross join lateral (
        select j.job_id, j.tenant_id, j.created_at from jobs j
        where j.tenant_id = g.tenant_id and j.queue = g.queue and j.kind = g.kind and j.status = g.status
          and j.status <> 'processing'{conditions}
        {newest}) head"""


def _in_lane(newest: str, conditions: str) -> str:
    """A lane's history has an index of its own; those that wait are in the index of live lane jobs."""
    return f"""select head.* from (select distinct tenant_id from tenant_group) g cross join lateral (
        select j.job_id, j.tenant_id, j.created_at from jobs j
        where j.tenant_id = g.tenant_id and j.status in ('done', 'failed', 'cancelled') and {conditions}
        {newest}) head
    union all
    select head.* from (select distinct tenant_id, queue from tenant_group where status = 'queued') g
    cross join lateral (
        select j.job_id, j.tenant_id, j.created_at from jobs j
        where j.tenant_id = g.tenant_id and j.queue = g.queue and j.status in ('queued', 'processing')
          and j.status is not distinct from 'queued' and {conditions}
        {newest}) head"""
