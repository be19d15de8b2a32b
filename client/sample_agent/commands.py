"""The commands: login, push, ls and pull."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import httpx

from sample_agent.account import Account, load_account, save_account
from sample_agent.folders import walk
from sample_agent.pull import Pull
from sample_agent.push import Push, Pushed, hash_sounds, leave_known
from sample_agent.service import Service, ServiceError

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
@click.version_option(package_name="sample-agent")
def main() -> None:
    """Push folders of sounds to SP404MK2 Sample Agent, list them and pull them back."""


@main.command()
@click.option("--url", prompt="Address of the service")
@click.option("--token", prompt="Token", hide_input=True)
def login(url: str, token: str) -> None:
    """Save the address and a token, after trying them."""
    account = Account(url.rstrip("/"), token.strip())
    usage = _told(lambda: Service(account).usage())
    path = save_account(account)
    click.echo(
        f"Signed in: plan {usage['plan']}, {usage['uploads']['left']:,} uploads left. Saved in {path}."
    )


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--collection", help="Its name; without it, the name of the folder.")
@click.option("--jobs", default=4, show_default=True, type=click.IntRange(1, 16), help="Files at once.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
def push(folder: Path, collection: str | None, jobs: int, dry_run: bool) -> None:
    """Send every sound of FOLDER that is not there yet. Run it again to go on after a stop."""
    stopping = threading.Event()
    service, found = Service(load_account(), stopping), walk(folder)
    with _bar(len(found.sounds), "Reading") as bar:
        hashed, done = hash_sounds(found.sounds, jobs, lambda: bar.update(1))
    new = _told(lambda: leave_known(service, hashed, done))
    if left_out := sum(found.left_out.values()):
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in found.left_out.most_common())
        click.echo(f"Files left out: {left_out:,} ({reasons}).")
    if dry_run:
        click.echo(f"{len(new):,} of {len(found.sounds):,} sounds would be sent.")
        return
    task = Push(service, collection or folder.resolve().name, stopping)
    with _bar(len(new), "Sending") as bar:
        task.send(new, jobs, done, lambda: bar.update(1))
    _tell_pushed(done)


@main.command("ls")
@click.argument("collection", required=False)
@click.option("--ask", default="", help="Words or a sentence, as on the website.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
def list_sounds(collection: str | None, ask: str, as_json: bool) -> None:
    """List the collections, or the sounds of COLLECTION or of a search."""
    service = Service(load_account())
    if collection is None and not ask:
        _show(_told(service.collections), as_json, lambda each: f"{each['samples']:>6,}  {each['name']}")
        return
    found = service.samples(collection=collection, ask=ask)
    try:
        _show(found, as_json, _line)
    except (ServiceError, httpx.HTTPError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--collection", help="Only this collection.")
@click.option("--ask", default="", help="Only what these words or this sentence find.")
@click.option("--unit", is_flag=True, help="WAVs as the SP-404MKII takes them, in place of the originals.")
def pull(target: Path, collection: str | None, ask: str, unit: bool) -> None:
    """Write sounds below TARGET, by collection and folder. A sound that was fetched before is skipped.

    No other file is replaced: a sound whose name is taken gets a number.
    """
    service = Service(load_account())
    task = Pull(service, target, unit=unit)
    samples = _told(lambda: list(service.samples(collection=collection, ask=ask)))
    fetched, failed = 0, []
    with _bar(len(samples), "Fetching") as bar:
        for sample in samples:
            try:
                fetched += task.fetch(sample)
            except (OSError, ServiceError, httpx.HTTPError) as error:
                failed.append(f"{sample['name']}: {error}")
            bar.update(1)
    click.echo(f"{fetched:,} fetched, {len(samples) - fetched - len(failed):,} there already.")
    _list_and_fail(failed, "not fetched")


def _bar(length: int, label: str) -> Any:
    return click.progressbar(length=length, label=label, show_pos=True)


def _told(ask: Any) -> Any:
    """Return an answer of the service, or end with its sentence."""
    try:
        return ask()
    except (ServiceError, httpx.HTTPError) as error:
        raise click.ClickException(str(error)) from error


def _tell_pushed(done: Pushed) -> None:
    there = [f"{done.sent:,} sent", f"{done.known:,} there already"]
    if done.same:
        there.append(f"{done.same:,} the same as another one in the folder")
    click.echo(f"{', '.join(there)}.")
    if done.stopped:
        left = "1 sound is" if done.left == 1 else f"{done.left:,} sounds are"
        click.echo(f"{done.stopped} {left} left.", err=True)
    _list_and_fail([f"{sound.path}: {why}" for sound, why in done.refused], "refused")
    if done.stopped:
        raise SystemExit(1)


def _list_and_fail(lines: list[str], what: str) -> None:
    if not lines:
        return
    click.echo(f"{len(lines):,} {what}:", err=True)
    for line in lines:
        click.echo(f"  {line}", err=True)
    raise SystemExit(1)


def _show(rows: Iterable[dict[str, Any]], as_json: bool, line: Any) -> None:
    for row in rows:
        click.echo(json.dumps(row) if as_json else line(row))


def _line(sample: dict[str, Any]) -> str:
    bpm = f"{sample['bpm']:g} BPM" if sample["bpm"] else ""
    facts = (sample["kind"], sample["sound"], bpm, sample["key"])
    place = "/".join(each for each in (sample.get("collection"), sample.get("folder")) if each)
    return "  ".join([sample["name"], ", ".join(each for each in facts if each), place]).rstrip()
