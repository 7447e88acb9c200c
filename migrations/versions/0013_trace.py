"""The trace of the request that made a job: it reaches the job function, its log lines, and the model that is asked."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table jobs add column traceparent text")


def downgrade() -> None:
    op.execute("alter table jobs drop column traceparent")
