"""what a job is asked to do

Expands only, so the previous version runs on this schema too: it leaves the new columns at their defaults
and keeps reading its flags in `results`, which stay there. Restart the workers before the web processes:
what an upload asks for is read from the new columns only.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

NEW = ("ai_analysis", "ai_allowed")
# Only uploads have these.
OF_UPLOADS = (
    ("format", sa.String(length=16)),
    ("size_bytes", sa.BigInteger()),
    ("content_sha256", sa.String(length=64)),
    ("incoming_key", sa.String(length=200)),
)
JOBS = sa.table(
    "processing_jobs",
    sa.column("id"),
    sa.column("results", sa.JSON()),
    *(sa.column(name, sa.Boolean()) for name in NEW),
    *(sa.column(name, kind) for name, kind in OF_UPLOADS),
)


def upgrade() -> None:
    with op.batch_alter_table("processing_jobs", schema=None) as batch_op:
        for name in NEW:
            batch_op.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true()))
        for name, kind in OF_UPLOADS:
            batch_op.alter_column(name, existing_type=kind, nullable=True)
    connection = op.get_bind()
    with_results = sa.cast(JOBS.c.results, sa.Text()).not_in(["{}", "null"])
    for job_id, results in connection.execute(sa.select(JOBS.c.id, JOBS.c.results).where(with_results)).all():
        # An empty description was how a job said that none is wanted; a real one is never empty.
        asked = {"ai_analysis": results.get("vibe") != {}, "ai_allowed": results.get("wants_model", True)}
        if not all(asked.values()):
            connection.execute(JOBS.update().where(JOBS.c.id == job_id).values(**asked))


def downgrade() -> None:
    connection = op.get_bind()
    refused = sa.or_(JOBS.c.ai_analysis.is_(sa.false()), JOBS.c.ai_allowed.is_(sa.false()))
    rows = sa.select(JOBS.c.id, JOBS.c.results, JOBS.c.ai_analysis, JOBS.c.ai_allowed).where(refused)
    for job_id, results, ai_analysis, ai_allowed in connection.execute(rows).all():
        flags = ({} if ai_analysis else {"vibe": {}}) | ({} if ai_allowed else {"wants_model": False})
        values = {"results": flags | (results or {})}
        connection.execute(JOBS.update().where(JOBS.c.id == job_id).values(**values))
    for name, kind in OF_UPLOADS:
        empty = 0 if isinstance(kind, sa.BigInteger) else ""
        column = JOBS.c[name]
        connection.execute(JOBS.update().where(column.is_(None)).values({column: empty}))
    with op.batch_alter_table("processing_jobs", schema=None) as batch_op:
        for name, kind in OF_UPLOADS:
            batch_op.alter_column(name, existing_type=kind, nullable=False)
        for name in NEW:
            batch_op.drop_column(name)
