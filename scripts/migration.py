"""Write the next migration: `python -m scripts.migration "add kits"`, or `make migration m="add kits"`.

The models are compared with a scratch database at the newest revision, so the developer's own database plays
no part.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import flask_migrate
from alembic.script import ScriptDirectory

from app import create_app
from app.config import Settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
NUMBER = re.compile(r"(\d{4})_\w+\.py")


def next_number(versions: Path) -> str:
    """Return the highest number in use plus one, in four digits; numbers may be missing in between."""
    used = [int(found[1]) for path in versions.iterdir() if (found := NUMBER.fullmatch(path.name))]
    return f"{max(used, default=0) + 1:04d}"


def write_migration(migrations: Path, message: str) -> Path:
    """Write the step from the newest revision's schema to the models' and return its file.

    Raise SystemExit when there is more than one head.
    """
    script = ScriptDirectory(str(migrations))
    heads = script.get_heads()
    if len(heads) > 1:
        raise SystemExit(f"There are {len(heads)} heads: {', '.join(heads)}. Put them into one line first.")
    number = next_number(migrations / "versions")
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings.from_env({"DATA_DIR": folder}))
        with app.app_context():
            flask_migrate.upgrade(str(migrations))
            flask_migrate.migrate(str(migrations), message, head="head", rev_id=number)
    (written,) = (migrations / "versions").glob(f"{number}_*.py")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", written], check=True)
    return written


def main() -> None:
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        raise SystemExit('Say what it does: make migration m="add kits"')
    print(write_migration(MIGRATIONS, sys.argv[1].strip()))


if __name__ == "__main__":
    main()
