"""metric totals and traces

Expands only: a table and two nullable columns, which the previous version neither reads nor writes.
"""

import sqlalchemy as sa
from alembic import op

from app.models.table_locks import lock_tables

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lock_tables(op.get_bind(), "processing_jobs", "outbox", mode="ACCESS EXCLUSIVE")
    totals = op.create_table(
        "metric_totals",
        sa.Column("metric", sa.String(length=24), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("metric", "label", name=op.f("pk_metric_totals")),
    )
    op.bulk_insert(totals, [{"metric": "counted_until", "label": "", "value": 0.0}])
    for table in ("processing_jobs", "outbox"):
        op.add_column(table, sa.Column("trace_parent", sa.String(length=55), nullable=True))


def downgrade() -> None:
    for table in ("outbox", "processing_jobs"):
        op.drop_column(table, "trace_parent")
    op.drop_table("metric_totals")
