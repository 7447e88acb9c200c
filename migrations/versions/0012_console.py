"""How long jobs took, beside how many there were: what the console's latency plot is drawn from."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table queue_samples add column latency_p50 double precision")
    op.execute("alter table queue_samples add column latency_p95 double precision")


def downgrade() -> None:
    op.execute("alter table queue_samples drop column latency_p50, drop column latency_p95")
