"""`make migration` gives each migration a number of its own and hangs it behind the newest one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from scripts.migration import MIGRATIONS, next_number, write_migration


def test_the_number_follows_the_highest_one_even_when_one_is_missing(tmp_path: Path) -> None:
    for name in ("0001_accounts.py", "0002_jobs.py", "0004_webhooks.py", "script.py.mako"):
        (tmp_path / name).touch()
    assert next_number(tmp_path) == "0005"


def test_the_first_migration_is_number_one(tmp_path: Path) -> None:
    assert next_number(tmp_path) == "0001"


def test_a_written_migration_follows_the_head(tmp_path: Path) -> None:
    """The real folder has a gap: there is no 0011."""
    migrations = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    before = ScriptDirectory(str(migrations)).get_current_head()
    assert before is not None
    written = write_migration(migrations, "add kits")
    assert written.name == f"{int(before) + 1:04d}_add_kits.py"
    assert re.findall(r'^down_revision = "(\w+)"', written.read_text(), re.MULTILINE) == [before]
    assert ScriptDirectory(str(migrations)).get_heads() == [f"{int(before) + 1:04d}"]


def test_two_heads_are_refused(tmp_path: Path) -> None:
    migrations = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    rival = 'revision = "0099"\ndown_revision = "0001"\nbranch_labels = None\ndepends_on = None\n'
    (migrations / "versions" / "0099_rival.py").write_text(rival)
    with pytest.raises(SystemExit, match="2 heads"):
        write_migration(migrations, "add kits")
