"""closing accounts, and one kept export for each

Expands only. Web processes of the previous version close an account by an export with `then_delete`, which
the new workers take over. Its workers do not see what the new web processes close; the new ones do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
USERS = sa.table("users", sa.column("id"), sa.column("email"))
CLOSINGS = sa.table(
    "account_closings", sa.column("user_id"), sa.column("email"), sa.column("requested_at", TIME)
)
EXPORTS = sa.table(
    "data_exports",
    sa.column("id"),
    sa.column("user_id"),
    sa.column("then_delete", sa.Boolean()),
    sa.column("ready_at", TIME),
    sa.column("failed_at", TIME),
    sa.column("created_at", TIME),
)


def upgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_at", TIME, nullable=True))
    with op.batch_alter_table("data_exports", schema=None) as batch_op:
        batch_op.add_column(sa.Column("storage_key", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("tries", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("next_try_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("failed_at", TIME, nullable=True))
    op.create_table(
        "account_closings",
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", TIME, nullable=False),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("archive_key", sa.String(length=80), nullable=True),
        sa.Column("archived_at", TIME, nullable=True),
        sa.Column("requested_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_account_closings_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_account_closings")),
    )
    with op.batch_alter_table("account_closings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_closings_next_try_at"), ["next_try_at"], unique=False)


def downgrade() -> None:
    """Hand unfinished closings to the previous version, as the exports with which it closes accounts."""
    connection = op.get_bind()
    connection.execute(sa.delete(EXPORTS).where(EXPORTS.c.failed_at.is_not(None)))
    for user_id, email, requested_at in connection.execute(sa.select(*CLOSINGS.c)).all():
        taken = connection.execute(sa.select(USERS.c.id).where(USERS.c.email == email)).first()
        if taken is None:
            connection.execute(sa.update(USERS).where(USERS.c.id == user_id).values(email=email))
        export = {"id": user_id, "user_id": user_id, "then_delete": True, "created_at": requested_at}
        connection.execute(sa.insert(EXPORTS).values(**export))
    op.drop_table("account_closings")
    with op.batch_alter_table("data_exports", schema=None) as batch_op:
        for name in ("failed_at", "next_try_at", "tries", "storage_key"):
            batch_op.drop_column(name)
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("closed_at")
