"""folded search text, and names on the card

Expands only: the previous version leaves the new columns alone and searches `search_text`, which stays. Rows
that it writes while both versions run are folded by the hourly chore `fold_changed_rows`.
"""

import sqlalchemy as sa
from alembic import op

from app.models.text_folding import fold_text

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BATCH_SIZE = 1000
SAMPLES = sa.table("samples", sa.column("id"), sa.column("search_text"), sa.column("folded_text"))


def upgrade() -> None:
    with op.batch_alter_table("samples", schema=None) as batch_op:
        batch_op.add_column(sa.Column("folded_text", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("pad_name", sa.String(length=23), nullable=True))
    connection, last = op.get_bind(), ""
    rows = sa.select(SAMPLES.c.id, SAMPLES.c.search_text).order_by(SAMPLES.c.id).limit(BATCH_SIZE)
    fill = SAMPLES.update().where(SAMPLES.c.id == sa.bindparam("row")).values(folded_text=sa.bindparam("to"))
    while batch := connection.execute(rows.where(SAMPLES.c.id > last)).all():
        connection.execute(fill, [{"row": row.id, "to": fold_text(row.search_text)} for row in batch])
        last = batch[-1].id


def downgrade() -> None:
    with op.batch_alter_table("samples", schema=None) as batch_op:
        batch_op.drop_column("pad_name")
        batch_op.drop_column("folded_text")
