"""search index

Expands only. The new tables hold nothing that the samples don't: rows to search, sort and count by, and an
inverted index of their words. Triggers note every change of a sample, also one by the previous version, and
the service follows these changes; at the end all samples are noted once. Only the making of the tables and
triggers locks others' tables, and only for that moment, so on PostgreSQL it is committed by itself.
"""

import sqlalchemy as sa
from alembic import op

from app.models.table_locks import lock_tables

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SORTED_TEXT = sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql")
AXES = ("brightness", "noisiness", "loudness", "punch", "energy", "length")
NEWEST_FIRST = sa.text("sample_id DESC")
TIME = sa.DateTime(timezone=True)
# The columns of a sample that its row of the index is made of
INDEXED = (
    "user_id, format, duration_s, kind, sound, bpm, key, described, corrections, folded_text, search_text,"
    " liked, created_at, deleted_at"
)
FIGURES = "brightness, noisiness, loudness_db, measured"
OWN_CHANGE = "INSERT INTO sample_changes (user_id, sample_id) VALUES ({row}.user_id, {row}.id)"
CHANGE_OF_PART = (
    "INSERT INTO sample_changes (user_id, sample_id)"
    " SELECT user_id, id FROM samples WHERE id = {row}.sample_id"
)
TABLES = ("search_index", "search_rows", "library_counts", "library_tags", "libraries", "sample_changes")
NOTE_ALL = "INSERT INTO sample_changes (user_id, sample_id) SELECT user_id, id FROM samples ORDER BY id"
# The table, when its trigger fires, and what the trigger does with the row
TRIGGERS = (
    ("samples", "INSERT", "NEW", OWN_CHANGE),
    ("samples", f"UPDATE OF {INDEXED}", "NEW", OWN_CHANGE),
    ("samples", "DELETE", "OLD", OWN_CHANGE),
    ("sample_tags", "INSERT", "NEW", CHANGE_OF_PART),
    ("sample_tags", "UPDATE", "NEW", CHANGE_OF_PART),
    ("sample_tags", "DELETE", "OLD", CHANGE_OF_PART),
    ("audio_features", "INSERT", "NEW", CHANGE_OF_PART),
    ("audio_features", f"UPDATE OF {FIGURES}", "NEW", CHANGE_OF_PART),
)
SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE search_index USING fts5(terms, detail=none, columnsize=0, tokenize='ascii')",
    "CREATE TRIGGER search_rows_delete AFTER DELETE ON search_rows"
    " BEGIN DELETE FROM search_index WHERE rowid = OLD.number; END",
)
# The terms are read only while the index is made, so they are kept out of the way of the row numbers.
POSTGRESQL_INDEX = (
    "CREATE TABLE search_index ("
    " rowid bigint PRIMARY KEY REFERENCES search_rows (number) ON DELETE CASCADE, terms tsvector NOT NULL)"
    " WITH (toast_tuple_target = 128)",
    "ALTER TABLE search_index ALTER COLUMN terms SET STORAGE EXTERNAL",
    # A long list of pending entries would be read by every search.
    "CREATE INDEX ix_search_index_terms ON search_index USING gin (terms)"
    " WITH (gin_pending_list_limit = 256)",
)


def upgrade() -> None:
    lock_tables(op.get_bind(), "users", "samples", "sample_tags", "audio_features")
    _make_tables()
    for statement in SQLITE_INDEX if _is_sqlite() else POSTGRESQL_INDEX:
        op.execute(statement)
    for table, event, row, action in TRIGGERS:
        _make_trigger(table, event, action.format(row=row))
    with op.get_context().autocommit_block():
        op.execute(NOTE_ALL)


def downgrade() -> None:
    for table, event, _, _ in TRIGGERS:
        name = _trigger_name(table, event)
        op.execute(f"DROP TRIGGER {name}" + ("" if _is_sqlite() else f" ON {table}"))
        if not _is_sqlite():
            op.execute(f"DROP FUNCTION {name}()")
    for table in TABLES:
        op.drop_table(table)


def _make_tables() -> None:
    op.create_table(
        "search_rows",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("sample_id", sa.String(length=26), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("sound", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=12), nullable=False),
        sa.Column("liked", sa.Boolean(), nullable=False),
        sa.Column("bpm", sa.Double(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        *(
            sa.Column(name, sa.Double(), nullable=True)
            for name in (*AXES[:-1], *(f"{axis}_score" for axis in AXES))
        ),
        sa.Column("name", SORTED_TEXT, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("name_words", "words", "description_words", "traits", "text")
        ),
        _user_key("search_rows"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_rows")),
        sa.UniqueConstraint("sample_id", name=op.f("uq_search_rows_sample_id")),
    )
    for name, columns in (
        ("newest", ["sample_id"]),
        ("name", ["name", NEWEST_FIRST]),
        ("bpm", ["bpm", NEWEST_FIRST]),
        ("length", ["duration_s", NEWEST_FIRST]),
        ("added", ["created_at"]),
        *((f"{axis}_score", [f"{axis}_score", NEWEST_FIRST]) for axis in AXES),
    ):
        op.create_index(f"ix_search_rows_{name}", "search_rows", ["user_id", "live", *columns])
    op.create_table(
        "library_counts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("sound", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=12), nullable=False),
        sa.Column("liked", sa.Boolean(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        _user_key("library_counts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_counts")),
        sa.UniqueConstraint(
            "user_id",
            "kind",
            "sound",
            "key",
            "liked",
            name=op.f("uq_library_counts_user_id_kind_sound_key_liked"),
        ),
    )
    op.create_table(
        "library_tags",
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        _user_key("library_tags"),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_library_tags")),
    )
    op.create_index("ix_library_tags_most_used", "library_tags", ["user_id", "samples"])
    op.create_table(
        "libraries",
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _user_key("libraries"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_libraries")),
    )
    op.create_table(
        "sample_changes",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("user_id", sa.String(length=26), nullable=False),
        sa.Column("sample_id", sa.String(length=26), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sample_changes")),
    )
    op.create_index("ix_sample_changes_user", "sample_changes", ["user_id", "number"])


def _user_key(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_user_id_users")
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="CASCADE")


def _make_trigger(table: str, event: str, action: str) -> None:
    name = _trigger_name(table, event)
    if _is_sqlite():
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {action}; END")
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NULL; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _trigger_name(table: str, event: str) -> str:
    return f"note_{table}_{event.split()[0].lower()}"


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
