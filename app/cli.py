"""Commands: flask --app wsgi …"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from flask import Flask
from flask.cli import with_appcontext

from app.admin import audit_trail
from app.billing import stripe_setup
from app.config import Settings
from app.extensions import settings
from app.integrations import payments
from app.integrations.storage import S3Store, StorageError, open_store


def init_app(app: Flask) -> None:
    app.cli.add_command(analyze)
    app.cli.add_command(admin)
    app.cli.add_command(storage)
    app.cli.add_command(stripe)


@click.group()
def admin() -> None:
    """Who may see and steer the queue."""


@admin.command()
@click.argument("email")
def grant(email: str) -> None:
    """Let an account see and steer the queue."""
    _set_admin(email, True)


@admin.command()
@click.argument("email")
def revoke(email: str) -> None:
    """Make an account a producer like any other again."""
    _set_admin(email, False)


@with_appcontext
def _set_admin(email: str, is_admin: bool) -> None:
    try:
        audit_trail.set_admin(email, is_admin)
    except audit_trail.NoSuchAccountError as error:
        raise click.ClickException(f"Nobody is registered as {email}. Register first.") from error
    click.echo(f"{email} {'may' if is_admin else 'may no longer'} see and steer the queue.")


@click.group()
def storage() -> None:
    """The object store."""


@storage.command()
@with_appcontext
def cors() -> None:
    """Let pages of BASE_URL send files straight to the bucket: replaces its CORS rules."""
    store, origin = open_store(settings()), settings().origin
    if not isinstance(store, S3Store):
        raise click.ClickException("There is no bucket: set S3_BUCKET first.")
    try:
        store.let_in(origin)
    except StorageError as error:
        raise click.ClickException(f"The bucket did not take the rule: {error}") from error
    click.echo(f"Pages of {origin} may send files to the bucket.")


@click.group()
def stripe() -> None:
    """The Stripe account of STRIPE_SECRET_KEY."""


@stripe.command()
@with_appcontext
def setup() -> None:
    """Make products, prices, meter, portal and webhook endpoint, or put them right. Safe to run twice."""
    _print_lines(stripe_setup.set_up_account)


@stripe.command()
@with_appcontext
def check() -> None:
    """Say what is not as `setup` would make it; the exit code is 1 when something is not."""
    if _print_lines(stripe_setup.check_account):
        sys.exit(1)
    click.echo("Everything is as it should be.")


def _print_lines(lines: Callable[[Settings], Iterable[str]]) -> int:
    """Print the lines as they come; returns how many there were."""
    if not payments.is_set_up(settings()):
        raise click.ClickException("STRIPE_SECRET_KEY is not set, so there is no account to look at.")
    count = 0
    try:
        for line in lines(settings()):
            click.echo(line)
            count += 1
    except payments.PaymentsError as error:
        raise click.ClickException(f"Stripe: {error}") from error
    return count


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default="all cores", help="Files at once.")
def analyze(files: tuple[Path, ...], as_json: bool, jobs: int) -> None:
    """Measure audio files and folders on disk, as an upload would be."""
    # The engine is slow to import and of no use to the web process.
    from app.audio.warm import set_cache_folder

    set_cache_folder()
    from app.audio.file_report import print_report

    sys.exit(print_report(files, as_json=as_json, jobs=jobs))
