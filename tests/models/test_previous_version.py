"""The code from before the newest migration runs on its schema, as while a new version is deployed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db, settings
from app.models import User
from scripts.migration import MIGRATIONS
from tests.live import ROOT
from tests.support import Browser

PARTS = ("app", "migrations", "static", "templates", "tasks.py", "tests", "wsgi.py")
EMAIL = "earlier@example.com"
# Everything that a producer can do, by the tests of that version.
USE_EVERYTHING = f"""
import os
from app import create_app
from app.config import Settings
from tests.account.full_account import make_full_account
app = create_app(Settings.from_env({{"DATA_DIR": os.environ["DATA_DIR"]}}))
app.testing = True
with app.app_context():
    make_full_account(app, "{EMAIL}")
"""


@pytest.mark.timeout(400)  # a new checkout compiles all its modules first
def test_the_version_before_the_newest_migration_runs_on_its_schema(app: Flask, tmp_path: Path) -> None:
    checkout = tmp_path / "earlier"
    _check_out_earlier(checkout)
    env = {"DATA_DIR": str(settings().data_dir), "PYTHONPATH": str(checkout)}
    env |= {name: os.environ[name] for name in ("PATH", "NUMBA_CACHE_DIR")}
    done = subprocess.run(
        [sys.executable, "-c", USE_EVERYTHING], cwd=checkout, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    user = db.session.scalars(select(User).where(User.email == EMAIL)).one()
    assert "Mine" in Browser(app, user).get("/samples").text  # and this version reads what that one wrote


def _check_out_earlier(target: Path) -> None:
    """Unpack the code from before the newest migration; skip the test where git does not have it."""
    newest = max((MIGRATIONS / "versions").glob("0*.py"))
    added = _git("log", "-1", "--format=%H", "--diff-filter=A", "--", str(newest)).decode().strip()
    packed = _git("archive", f"{added}^", *PARTS) if added else b""
    if not packed:
        pytest.skip(f"git does not have the code from before {newest.name}: this is a shallow clone, or none")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(target, filter="data")
    vendor = target / "static" / "vendor"
    if not vendor.exists():
        shutil.copytree(ROOT / "static" / "vendor", vendor)


def _git(*arguments: str) -> bytes:
    """Return what git answers; nothing if it can't."""
    if shutil.which("git") is None:
        return b""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True)
    return done.stdout if done.returncode == 0 else b""
