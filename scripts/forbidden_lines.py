"""Find lines that must not be committed: `python -m scripts.forbidden_lines [FILES]`.

Without files it reads every file that git tracks. One character of each pattern stands in brackets, so that
this file does not match itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "a package registry's host": r"py[p]i\.org|python[h]osted\.|registry\.[n]pmjs|deb\.[d]ebian\.org",
    "where npm found a package": r'^\s*"resolve[d]":',
    "a path of one developer's machine": r"/hom[e]/[a-z]|/User[s]/[A-Za-z]|/roo[t]/|[A-Z]:\\User[s]\\",
    "a private key": r"-----BEGI[N] [A-Z ]*PRIVATE KEY-----",
    "a live key of a vendor": r"\b[s]k_live_\w{8}|\b[s]k-or-v1-\w{8}|\bAKI[A][0-9A-Z]{16}\b",
    "a merge marker": r"^(<{7}|>{7}|\|{7})( |$)|^={7}$",
}
PATTERNS = {what: re.compile(pattern, re.MULTILINE) for what, pattern in FORBIDDEN.items()}


def find(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each forbidden line and what is wrong with it."""
    for what, pattern in PATTERNS.items():
        for found in pattern.finditer(text):
            yield text.count("\n", 0, found.start()) + 1, what


def tracked_files() -> list[Path]:
    """Return every file that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def main() -> None:
    """Print `file:line: what` for each forbidden line, and end with 1 when there is one."""
    paths = [Path(name) for name in sys.argv[1:]] or tracked_files()
    failed = False
    for path in paths:
        if not path.is_file() or b"\0" in (data := path.read_bytes()):
            continue
        for number, what in sorted(find(data.decode(errors="replace"))):
            failed = True
            print(f"{path}:{number}: {what}")
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
