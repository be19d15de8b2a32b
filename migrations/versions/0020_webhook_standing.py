"""webhook standing

Expands only. The previous version leaves `outbox.endpoint_id` empty and never touches the other columns. What
it enqueues gets its endpoint from the first worker of this version that looks for webhooks to send.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None

COUNTED = (("failures", sa.Integer()), ("spent_hour", sa.Integer()), ("spent_s", sa.Double()))
TIMES = ("failing_since", "paused_until", "sending_until")


def upgrade() -> None:
    with op.batch_alter_table("webhook_endpoints", schema=None) as batch_op:
        for name, kind in COUNTED:
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default="0"))
        for name in TIMES:
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_webhook_endpoints_sending_until", ["sending_until"], unique=False)
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("endpoint_id", sa.String(length=26), nullable=True))
        batch_op.create_index("ix_outbox_endpoint_due", ["endpoint_id", "next_try_at"], unique=False)
        batch_op.create_foreign_key(
            op.f("fk_outbox_endpoint_id_webhook_endpoints"),
            "webhook_endpoints",
            ["endpoint_id"],
            ["id"],
            ondelete="CASCADE",
        )


def downgrade() -> None:
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_outbox_endpoint_id_webhook_endpoints"), type_="foreignkey")
        batch_op.drop_index("ix_outbox_endpoint_due")
        batch_op.drop_column("endpoint_id")
    with op.batch_alter_table("webhook_endpoints", schema=None) as batch_op:
        batch_op.drop_index("ix_webhook_endpoints_sending_until")
        for name in (*TIMES, *(name for name, _ in COUNTED)):
            batch_op.drop_column(name)
