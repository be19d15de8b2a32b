"""Lock tables for a migration without holding up those who write to them."""

from __future__ import annotations

from sqlalchemy import Connection, text

# Whoever waits for a lock holds up everybody who comes after, so each is waited for in short turns.
TURN_MS, PAUSE_S, MAX_TURNS = 250, 0.25, 240
_LOCK_IN_TURNS = f"""
DO $$ BEGIN
  SET LOCAL lock_timeout = '{TURN_MS}ms';
  FOR turn IN 1..{MAX_TURNS} LOOP
    BEGIN
      LOCK TABLE {{tables}} IN {{mode}} MODE;
      EXIT;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep({PAUSE_S});
    END;
  END LOOP;
  SET LOCAL lock_timeout TO DEFAULT;
  LOCK TABLE {{tables}} IN {{mode}} MODE;
END $$
"""


def lock_tables(connection: Connection, *tables: str, mode: str = "SHARE ROW EXCLUSIVE") -> None:
    """Lock all of some tables until the transaction ends; do nothing on SQLite, which has one writer.

    Call it first in a migration that makes triggers, foreign keys (`SHARE ROW EXCLUSIVE`) or columns (`ACCESS
    EXCLUSIVE`) of tables that are in use: PostgreSQL sends an autovacuum of such a table away only after a
    second, and until then every write waits too. After about two minutes it waits like any other statement.
    """
    if connection.dialect.name == "postgresql":
        statement = _LOCK_IN_TURNS.format(tables=", ".join(tables), mode=mode)
        connection.execute(text(statement))
