"""The commands of `flask --app wsgi`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy import select

from app.admin import audit_trail
from app.backup.errors import BackupError
from app.backup.making import make_backup
from app.backup.restoring import check_backup, restore_backup
from app.billing import storage_totals, stripe_setup
from app.cards import kit_export
from app.config import Settings
from app.extensions import db, settings
from app.integrations import payments
from app.integrations.storage import S3Store, StorageError, open_store
from app.models import User
from app.search import indexing
from app.sp404.card.card_options import TARGETS
from app.sp404.errors import UnitFileError

PROGRESS_SAMPLES = 10_000
FOLDER = click.Path(path_type=Path, file_okay=False)


def init_app(app: Flask) -> None:
    """Add the commands to the app."""
    app.cli.add_command(analyze)
    app.cli.add_command(admin)
    app.cli.add_command(storage)
    app.cli.add_command(stripe)
    app.cli.add_command(search)
    app.cli.add_command(kit)
    app.cli.add_command(backup)
    app.cli.add_command(restore)


@click.group()
def admin() -> None:
    """Choose who may see and control the queue."""


@admin.command()
@click.argument("email")
def grant(email: str) -> None:
    """Let an account see and control the queue."""
    _set_admin(email, True)


@admin.command()
@click.argument("email")
def revoke(email: str) -> None:
    """Take that right away again."""
    _set_admin(email, False)


@with_appcontext
def _set_admin(email: str, is_admin: bool) -> None:
    try:
        audit_trail.set_admin(email, is_admin)
    except audit_trail.NoSuchAccountError as error:
        raise click.ClickException(f"No account has the address {email}. Register it first.") from error
    click.echo(f"{email} {'may' if is_admin else 'may no longer'} see and control the queue.")


@click.group()
def storage() -> None:
    """Set up the object store."""


@storage.command()
@with_appcontext
def cors() -> None:
    """Let pages of BASE_URL send files straight to the bucket: replaces its CORS rules."""
    store, origin = open_store(settings()), settings().origin
    if not isinstance(store, S3Store):
        raise click.ClickException("There is no bucket: set S3_BUCKET first.")
    try:
        store.allow_origin(origin)
    except StorageError as error:
        raise click.ClickException(f"The bucket did not accept the rule: {error}") from error
    click.echo(f"Pages of {origin} may send files to the bucket.")


@storage.command()
@with_appcontext
def create() -> None:
    """Make the bucket of S3_BUCKET unless it is there. Without a bucket there is nothing to do."""
    store = open_store(settings())
    if not isinstance(store, S3Store):
        click.echo("Files are kept in a folder.")
        return
    try:
        is_new = store.create_bucket()
    except StorageError as error:
        raise click.ClickException(f"The bucket can't be made: {error}") from error
    click.echo("The bucket was made." if is_new else "The bucket is there.")


@click.group()
def search() -> None:
    """Look after the search index."""


@search.command()
@click.option("--email", help="Only this account's library.")
@with_appcontext
def rebuild(email: str | None) -> None:
    """Make the search index again from the samples, and add up what the ledger says is stored.

    Safe at any time, also while people use it.
    """
    users = select(User.id, User.email).order_by(User.id)
    rows = db.session.execute(users.where(User.email == email) if email else users).all()
    if email and not rows:
        raise click.ClickException(f"No account has the address {email}.")
    for user_id, address in rows:
        done = 0
        for done in indexing.rebuild(user_id):
            if done % PROGRESS_SAMPLES == 0:
                click.echo(f"{address}: {done:,} samples so far")
        if done:
            click.echo(f"{address}: {done:,} samples")
    storage_totals.keep_totals()
    click.echo("The search index is complete.")


@click.group()
def kit() -> None:
    """Work on the kits of accounts."""


@kit.command()
@click.argument("kit_id", metavar="KIT")
@click.argument("out", metavar="OUT.zip", type=click.Path(path_type=Path))
@click.option(
    "--target", "targets", multiple=True, required=True, help=f"{', '.join(TARGETS)}; several are fine."
)
@click.option("--number", default=1, show_default=True, help="Of the native project, 1 to 16.")
@click.option("--screen/--no-screen", default=True, help="The kit's name as start-up screen of that project.")
@with_appcontext
def export(kit_id: str, out: Path, targets: tuple[str, ...], number: int, screen: bool) -> None:
    """Write the card of a kit as a ZIP. It is not counted for its account."""
    try:
        findings = kit_export.export_kit(kit_id, out, targets, number, draws_screen=screen)
    except (kit_export.KitExportError, UnitFileError) as error:
        raise click.ClickException(str(error)) from error
    for finding in findings:
        click.echo(str(finding), err=True)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--keep-days", default=30, show_default=True, help="Remove backups older than this.")
@with_appcontext
def backup(folder: Path, keep_days: int) -> None:
    """Back up the database and the store into FOLDER, while the service runs."""
    try:
        name, summary, read = make_backup(folder, keep_days)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    rows = sum(summary.tables.values())
    click.echo(f"{name}: {rows:,} rows, {summary.objects:,} objects, {read:,} of them copied now.")
    _tell_missing(summary.missing)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--from", "name", help="The backup to restore; without it the newest.")
@click.option("--close", type=int, help="How many accounts are closed again that the newest backup lacks.")
@click.option("--check", is_flag=True, help="Only read the whole backup and say whether it is complete.")
@with_appcontext
def restore(folder: Path, name: str | None, close: int | None, check: bool) -> None:
    """Restore a backup of FOLDER into an empty database. Stop web and workers first."""
    try:
        if check:
            name, summary = check_backup(folder, name)
            click.echo(f"{name} is complete.")
            _tell_missing(summary.missing)
            return
        done = restore_backup(folder, name, click.echo, close=close)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Restored {done.name}: {done.rows:,} rows and {done.objects:,} objects.")
    click.echo(f"Queued again: {done.requeued_jobs:,} jobs. Closed again: {done.closed_accounts:,} accounts.")
    _tell_missing(done.missing)


def _tell_missing(keys: list[str]) -> None:
    """List the objects that rows name and the store did not have when the backup was made."""
    for key in keys:
        click.echo(f"Missing from the store when the backup was made: {key}", err=True)


@click.group()
def stripe() -> None:
    """Set up and check the Stripe account of STRIPE_SECRET_KEY."""


@stripe.command()
@with_appcontext
def setup() -> None:
    """Create or update products, prices, meter, portal and webhook endpoint. Safe to run twice."""
    _print_lines(stripe_setup.set_up_account)


@stripe.command()
@with_appcontext
def check() -> None:
    """List what `setup` would change; the exit code is 1 if there is anything."""
    if _print_lines(stripe_setup.check_account):
        sys.exit(1)
    click.echo("Everything is as it should be.")


def _print_lines(lines: Callable[[Settings], Iterable[str]]) -> int:
    """Print lines as they come and return how many there were."""
    if not payments.is_set_up(settings()):
        raise click.ClickException("STRIPE_SECRET_KEY is not set, so there is no account to check.")
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.option(
    "--jobs",
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Files to measure in parallel.",
)
def analyze(files: tuple[Path, ...], as_json: bool, jobs: int) -> None:
    """Measure audio files and folders on disk like uploads."""
    # The engine is slow to import, and the web process never needs it.
    from app.audio.warm import set_cache_folder

    set_cache_folder()
    from app.audio.file_report import print_report

    sys.exit(print_report(files, as_json=as_json, jobs=jobs))
