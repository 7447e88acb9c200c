"""What operators need: queues that drain, samples of the last hours, and lists that a million jobs do not slow down."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = (
    "alter table queue_controls add column draining boolean not null default false",
    """create table queue_samples (
        queue                text not null,
        sampled_at           timestamptz not null,
        queued               integer not null,
        ready                integer not null,
        scheduled            integer not null,
        blocked              integer not null,
        processing           integer not null,
        oldest_ready_seconds double precision,
        done                 integer not null,
        failed               integer not null,
        primary key (queue, sampled_at)
    )""",
    "grant select, insert, delete on queue_samples to homeroom_engine",
    # Every insert and every change of a job's status pays for each index, so these replace what was there.
    #
    # A tenant has few groups of (queue, kind, status), and within each the newest come first: any filter of a list is
    # a merge of some groups' heads. Running jobs are few and found by their own index.
    "drop index jobs_by_tenant",
    """create index jobs_by_group on jobs (tenant_id, queue, kind, status, created_at desc, job_id desc)
       where status <> 'processing'""",
    # What waits for a slot, outside lanes: without a hint (0) or with one (1), by the moment from which it may run.
    "drop index jobs_undispatched",
    """create index jobs_waiting on jobs
           (queue, (case when dispatched_at is null then 0 else 1 end), greatest(created_at, run_at))
       where status = 'queued' and lane_id is null""",
    # A lane's history; its live jobs stand in jobs_lane_live.
    """create index jobs_by_lane on jobs (tenant_id, lane_id, created_at desc, job_id desc)
       where lane_id is not null and status in ('done', 'failed', 'cancelled')""",
    "create index jobs_ended on jobs (queue, status, finished_at) where finished_at is not null",
)

DOWN = (
    "drop index jobs_ended",
    "drop index jobs_by_lane",
    "drop index jobs_waiting",
    """create index jobs_undispatched on jobs (queue, created_at)
       where status = 'queued' and dispatched_at is null and lane_id is null""",
    "drop index jobs_by_group",
    "create index jobs_by_tenant on jobs (tenant_id, created_at desc, job_id desc)",
    "drop table queue_samples",
    "alter table queue_controls drop column draining",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
