"""Say what in a migration's SQL would break the previous version or hold up its writers.

A migration that drops or renames something on purpose, because no running code uses it any more, says so by a
line `contract = "why"` in its file. Nothing excuses a lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class RunStatement(NamedTuple):
    """A statement as PostgreSQL got it, and whether it was committed by itself."""

    sql: str
    is_alone: bool


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    sentence: str


_NAME = r'(?:ONLY )?"?(?P<table>\w+)"?'
_ALTER = rf"ALTER TABLE (?:IF EXISTS )?{_NAME}"
# What code of the previous version does not survive.
BREAKING = (
    _Rule(re.compile(rf"DROP TABLE (?:IF EXISTS )?{_NAME}"), "drops a table"),
    _Rule(re.compile(rf"{_ALTER} DROP COLUMN"), "drops a column"),
    _Rule(re.compile(rf"{_ALTER} RENAME"), "renames a table or a column"),
    _Rule(re.compile(rf"{_ALTER} ALTER COLUMN \S+ (?:SET DATA )?TYPE"), "changes the type of a column"),
    _Rule(re.compile(rf"{_ALTER} ALTER COLUMN \S+ SET NOT NULL"), "requires a column that may be empty"),
    _Rule(re.compile(rf"{_ALTER} ALTER COLUMN \S+ DROP DEFAULT"), "takes the default of a column away"),
    _Rule(
        re.compile(rf"{_ALTER} ADD COLUMN (?!.*DEFAULT).*NOT NULL"),
        "adds a required column without a default",
    ),
    _Rule(
        re.compile(rf"{_ALTER} ADD CONSTRAINT \S+ (?:UNIQUE|CHECK|EXCLUDE)"), "refuses rows that were fine"
    ),
    _Rule(re.compile(rf"CREATE UNIQUE INDEX .* ON {_NAME}"), "refuses rows that were fine"),
)
# What holds up writers for as long as it takes to read or write a whole table.
LOCKING = (
    _Rule(
        re.compile(rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY).* ON {_NAME}"), "makes an index under a lock"
    ),
    _Rule(
        re.compile(rf"{_ALTER} ADD CONSTRAINT (?!.*NOT VALID|.*USING INDEX)"), "checks every row under a lock"
    ),
    _Rule(re.compile(rf"{_ALTER} ALTER COLUMN \S+ (?:SET DATA )?TYPE"), "rewrites a table under a lock"),
    _Rule(re.compile(rf"{_ALTER} ALTER COLUMN \S+ SET NOT NULL"), "checks every row under a lock"),
    _Rule(
        re.compile(rf"{_ALTER} ADD COLUMN .* (?:GENERATED ALWAYS AS|DEFAULT (?:.*\(\)))"),
        "rewrites a table under a lock",
    ),
    _Rule(re.compile(rf"(?:VACUUM FULL|CLUSTER|LOCK TABLE|TRUNCATE) {_NAME}"), "locks a table"),
)
# What PostgreSQL does in a moment, but only after it has waited for the table.
_WAITS = re.compile(rf"(?:{_ALTER} ADD COLUMN|(?:CREATE|DROP) TRIGGER .* ON (?P<triggered>\w+))")
_LOCKED = re.compile(r"DO \$\$.* LOCK TABLE (?P<tables>[\w, ]+) IN ")
_WRITES = re.compile(r"(?:UPDATE|DELETE FROM|INSERT INTO \S+ .*SELECT .* FROM) (?:ONLY )?\"?(?P<table>\w+)")
_CREATED = re.compile(r'CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)"?')
_OWN_TABLE = "alembic_version"


def broken_rules(statements: Iterable[RunStatement], is_contract: bool = False) -> list[str]:
    """Return a line for each statement of one migration that breaks a rule, and why it does.

    A table that the migration itself makes is nobody's yet: with it, everything is allowed.
    """
    new, locked, found = {_OWN_TABLE}, set[str](), []
    for statement in statements:
        sql = " ".join(statement.sql.split())
        if created := _CREATED.match(sql):
            new.add(created[1])
        if lock := _LOCKED.match(sql):
            locked |= set(lock["tables"].split(", "))
        if (hit := _WAITS.match(sql)) and (hit["table"] or hit["triggered"]) not in new | locked:
            found.append(f"waits for a table without `lock_tables`: {sql}")
        rules = LOCKING if is_contract else (*BREAKING, *LOCKING)
        found += [
            f"{rule.sentence}: {sql}"
            for rule in rules
            if (hit := rule.pattern.match(sql)) and hit["table"] not in new
        ]
        if not statement.is_alone and (hit := _WRITES.match(sql)) and hit["table"] not in new:
            found.append(f"writes rows in the migration's transaction: {sql}")
    return found
