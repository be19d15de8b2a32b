"""The engine from a shell: python -m app.audio FILE… [--json] [--jobs N]"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from app.audio.warm import set_cache_folder


def main() -> int:
    """Measure the files and folders of the command line; return 1 when one can't be read, else 0."""
    parser = argparse.ArgumentParser(prog="python -m app.audio", description="Measure audio files.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a file or a folder")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="files at once (all cores)")
    options = parser.parse_args()
    set_cache_folder()
    from app.audio.file_report import print_report

    return print_report(options.files, as_json=options.json, jobs=options.jobs)


if __name__ == "__main__":
    sys.exit(main())
