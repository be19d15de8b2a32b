"""The engine from a shell: python -m app.audio FILE… [--json]"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from app.audio.warm import fix_cache


def main() -> int:
    """Measure each file; 1 when one of them can't be read."""
    parser = argparse.ArgumentParser(prog="python -m app.audio", description="Measure audio files.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    fix_cache()
    from app.audio.report import in_words, measure_file

    failed = False
    for path in options.files:
        measured = measure_file(path)
        failed |= "error" in measured
        sys.stdout.write((json.dumps(measured) if options.json else in_words(measured)) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
