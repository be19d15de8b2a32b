"""Commands: flask --app wsgi …"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask import Flask


def init(app: Flask) -> None:
    app.cli.add_command(analyze)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def analyze(files: tuple[Path, ...], as_json: bool) -> None:
    """Measure audio files on disk, as an upload would be."""
    # The engine is slow to import and of no use to the web process.
    from app.audio.warm import fix_cache

    fix_cache()
    from app.audio import report

    failed = False
    for path in files:
        measured = report.measure_file(path)
        failed |= "error" in measured
        click.echo(json.dumps(measured) if as_json else report.in_words(measured))
    sys.exit(1 if failed else 0)
