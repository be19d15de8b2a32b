"""The engine from a shell: measure files, shape or cut them, or find sounds that are alike.

python -m app.audio FILE… [--json] [--jobs N]
python -m app.audio similar QUERY… --in FOLDER [--all] [--top N] [--preset NAME] [--json] [--jobs N]
python -m app.audio render IN OUT.wav [--bpm N] [--transpose N] [--trim] [--normalise LEVEL] … [--json]
python -m app.audio chop IN OUTDIR [--by onsets] [--count N] [--json]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from app.audio.render.arguments import parse_chop, parse_render
from app.audio.similarity.layout import BALANCED, PRESETS
from app.audio.warm import set_cache_folder

SIMILAR, RENDER, CHOP = "similar", "render", "chop"


def main() -> int:
    """Run the command that the command line names; return 1 when a file can't be read, else 0."""
    arguments = sys.argv[1:]
    if arguments[:1] == [SIMILAR]:
        return _find_similar(arguments[1:])
    if arguments[:1] == [RENDER]:
        return _shape(arguments[1:])
    if arguments[:1] == [CHOP]:
        return _chop(arguments[1:])
    return _measure(arguments)


def _measure(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m app.audio",
        description="Measure audio files.",
        epilog=f"Other commands, each with --help: {SIMILAR}, {RENDER}, {CHOP}.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a file or a folder")
    _add_common_options(parser)
    options = parser.parse_args(arguments)
    set_cache_folder()
    from app.audio.file_report import print_report

    return print_report(options.files, as_json=options.json, jobs=options.jobs)


def _find_similar(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=f"python -m app.audio {SIMILAR}", description="Find the sounds of a folder that are most alike."
    )
    parser.add_argument("queries", nargs="*", type=Path, metavar="QUERY", help="a file")
    parser.add_argument("--in", dest="folder", type=Path, required=True, help="the folder to search")
    parser.add_argument("--all", action="store_true", help="take every file of the folder as a query")
    parser.add_argument("--top", type=_positive_number, default=20, help="sounds for each query (20)")
    parser.add_argument("--preset", choices=tuple(PRESETS), default=BALANCED, help="what counts most")
    _add_common_options(parser)
    options = parser.parse_intermixed_args(arguments)
    if not options.queries and not options.all:
        parser.error("name at least one QUERY, or give --all")
    set_cache_folder()
    from app.audio.similar_report import print_similar

    return print_similar(
        options.queries,
        options.folder,
        every=options.all,
        top=options.top,
        preset=options.preset,
        as_json=options.json,
        jobs=options.jobs,
    )


def _shape(arguments: list[str]) -> int:
    options = parse_render(arguments)
    set_cache_folder()
    from app.audio.render.command import render_file

    return render_file(options)


def _chop(arguments: list[str]) -> int:
    options = parse_chop(arguments)
    set_cache_folder()
    from app.audio.render.command import chop_file

    return chop_file(options)


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="files at once (all cores)")


def _positive_number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
