"""order within each kind

Expands only: searches and changes go on while an index is made.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

SCORES = ("brightness", "noisiness", "loudness", "punch", "energy", "length")
# The column, and its index before this revision
ORDERS = {"bpm": "bpm", "duration_s": "length"} | {f"{axis}_score": f"{axis}_score" for axis in SCORES}
NEWEST_FIRST = sa.text("sample_id DESC")


def upgrade() -> None:
    # While an index is made, searches go on, and so does whatever changes samples.
    with op.get_context().autocommit_block():
        for column, old in ORDERS.items():
            _make_index(f"ix_search_rows_kind_{column}", "kind", column)
            _drop_index(f"ix_search_rows_{old}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for column, old in ORDERS.items():
            _make_index(f"ix_search_rows_{old}", column)
            _drop_index(f"ix_search_rows_kind_{column}")


def _make_index(name: str, *columns: str) -> None:
    in_order = ["user_id", "live", *columns, NEWEST_FIRST]
    _drop_index(name)  # a half-made one, of a run that was stopped
    op.create_index(name, "search_rows", in_order, postgresql_concurrently=True)


def _drop_index(name: str) -> None:
    op.drop_index(name, "search_rows", if_exists=True, postgresql_concurrently=True)
