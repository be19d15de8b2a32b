"""The rules of expanding: what each refuses, and what it lets pass."""

from __future__ import annotations

import pytest

from scripts.migration_rules import RunStatement, broken_rules

BREAKING = {
    "DROP TABLE samples": "drops a table",
    "ALTER TABLE samples DROP COLUMN vibe": "drops a column",
    "ALTER TABLE samples RENAME vibe TO described": "renames a table or a column",
    "ALTER TABLE samples ADD COLUMN mood VARCHAR(9) NOT NULL": "adds a required column without a default",
    "ALTER TABLE samples ALTER COLUMN bpm DROP DEFAULT": "takes the default of a column away",
    'ALTER TABLE "samples" ADD CONSTRAINT ck CHECK (bpm > 0) NOT VALID': "refuses rows that were fine",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON samples (name)": "refuses rows that were fine",
}
LOCKING = {
    "CREATE INDEX i ON samples (name)": "makes an index under a lock",
    "ALTER TABLE samples ADD CONSTRAINT f FOREIGN KEY(a) REFERENCES b (c)": "checks every row under a lock",
    "ALTER TABLE samples ALTER COLUMN bpm TYPE NUMERIC": "rewrites a table under a lock",
    "ALTER TABLE samples ALTER COLUMN bpm SET NOT NULL": "checks every row under a lock",
    "ALTER TABLE samples ADD COLUMN x VARCHAR DEFAULT gen_uuid() NOT NULL": "rewrites a table under a lock",
    "UPDATE samples SET bpm = 1": "writes rows in the migration's transaction",
    "INSERT INTO tags (a) SELECT name FROM samples": "writes rows in the migration's transaction",
    "LOCK TABLE samples IN EXCLUSIVE MODE": "locks a table",
}
FINE = (
    "ALTER TABLE samples ADD COLUMN mood VARCHAR(9) DEFAULT '' NOT NULL",
    "ALTER TABLE samples ADD COLUMN mood VARCHAR(9)",
    "ALTER TABLE samples ALTER COLUMN mood DROP NOT NULL",
    "ALTER TABLE samples ADD CONSTRAINT f FOREIGN KEY(a) REFERENCES b (c) NOT VALID",
    "CREATE INDEX CONCURRENTLY i ON samples (name)",
    "UPDATE alembic_version SET version_num='0036'",
)

WAITING = (
    "ALTER TABLE samples ADD COLUMN mood VARCHAR(9)",
    "CREATE TRIGGER t AFTER INSERT ON samples FOR EACH ROW EXECUTE FUNCTION f()",
    "DROP TRIGGER t ON samples",
)
LOCKED = RunStatement("DO $$ BEGIN\n LOCK TABLE users, samples IN ACCESS EXCLUSIVE MODE;\nEND $$", False)


@pytest.mark.parametrize(("sql", "sentence"), [*BREAKING.items(), *LOCKING.items()])
def test_a_statement_that_breaks_or_locks_is_told(sql: str, sentence: str) -> None:
    statement = RunStatement(sql, is_alone=False)
    assert any(line == f"{sentence}: {sql}" for line in broken_rules([LOCKED, statement]))
    # A contract may break what nobody uses any more, but it may not lock.
    assert bool(broken_rules([LOCKED, statement], is_contract=True)) == (sql in LOCKING)
    assert broken_rules([RunStatement("CREATE TABLE samples (id INTEGER)", False), statement]) == []


def test_what_only_expands_passes() -> None:
    assert broken_rules([LOCKED, *(RunStatement(sql, is_alone=False) for sql in FINE)]) == []
    assert broken_rules([RunStatement("UPDATE samples SET bpm = 1", is_alone=True)]) == []


@pytest.mark.parametrize("sql", WAITING)
def test_what_waits_for_a_table_locks_it_first(sql: str) -> None:
    statement = RunStatement(sql, is_alone=False)
    assert broken_rules([statement]) == [f"waits for a table without `lock_tables`: {sql}"]
    assert broken_rules([LOCKED, statement]) == []
    assert broken_rules([RunStatement("CREATE TABLE samples (id INTEGER)", False), statement]) == []
