"""Commands: flask --app wsgi …"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from flask import Flask


def init(app: Flask) -> None:
    app.cli.add_command(analyze)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default="all cores", help="Files at once.")
def analyze(files: tuple[Path, ...], as_json: bool, jobs: int) -> None:
    """Measure audio files and folders on disk, as an upload would be."""
    # The engine is slow to import and of no use to the web process.
    from app.audio.warm import fix_cache

    fix_cache()
    from app.audio.report import report

    sys.exit(report(files, as_json=as_json, jobs=jobs))
