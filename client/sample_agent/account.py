"""Where the service is and which token it takes: from the environment, or as `login` saved it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import click

URL, TOKEN = "SAMPLE_AGENT_URL", "SAMPLE_AGENT_TOKEN"
NOT_SIGNED_IN = f"Sign in first: sample-agent login, or set {URL} and {TOKEN}."


@dataclass(frozen=True)
class Account:
    """The address of a service and a token for it."""

    url: str
    token: str


def load_account() -> Account:
    """Return the account of the environment, and what it lacks as it was saved.

    Raises click.ClickException when there is none.
    """
    saved = _read_saved()
    url, token = os.environ.get(URL) or saved.get("url"), os.environ.get(TOKEN) or saved.get("token")
    if not url or not token:
        raise click.ClickException(NOT_SIGNED_IN)
    return Account(url.rstrip("/"), token)


def save_account(account: Account) -> Path:
    """Save an account in a file that only its owner can read, and return its path."""
    path = _saved_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump({"url": account.url, "token": account.token}, out)
    fresh.replace(path)
    return path


def _saved_path() -> Path:
    return Path(click.get_app_dir("sample-agent")) / "account.json"


def _read_saved() -> dict[str, str]:
    try:
        saved = json.loads(_saved_path().read_text())
    except (OSError, ValueError):
        return {}
    return saved if isinstance(saved, dict) else {}
