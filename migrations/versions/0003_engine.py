"""The engine at full speed: flows for fairness, and indexes that a queue of a million jobs does not slow down."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = (
    # Which of Redis' lives the ledger knows of: a note about a hint of an earlier one is void.
    "alter table queue_controls add column epoch text",
    # Which of its tenant's two flows a job waits in.
    "alter table jobs add column bulk boolean not null default false",
    # A lane's jobs wait behind each other, and every sweep would look at them in vain: lanes are swept by their heads.
    "drop index jobs_undispatched",
    """create index jobs_undispatched on jobs (queue, created_at)
       where status = 'queued' and dispatched_at is null and lane_id is null""",
    # The queue leads, so that the heads of one queue's lanes are found by stepping from lane to lane.
    "drop index jobs_lane_live",
    """create unique index jobs_lane_live on jobs (queue, tenant_id, lane_id, lane_seq)
       where status in ('queued', 'processing') and lane_id is not null""",
    # A heartbeat moves `lease_until`: without an index on it the update stays within its page (HOT).
    "drop index workers_by_queue",
)

DOWN = (
    "alter table queue_controls drop column epoch",
    "create index workers_by_queue on workers (queue, lease_until)",
    "drop index jobs_lane_live",
    """create unique index jobs_lane_live on jobs (tenant_id, queue, lane_id, lane_seq)
       where status in ('queued', 'processing') and lane_id is not null""",
    "drop index jobs_undispatched",
    "create index jobs_undispatched on jobs (queue, created_at) where status = 'queued' and dispatched_at is null",
    "alter table jobs drop column bulk",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
