"""Run one process of the Procfile in place of this one: `python -m scripts.process web`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> None:
    """Replace this process with the named one, so that signals reach it; exit with 2 for an unknown name."""
    commands = procfile_commands()
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"Name one of the processes: {', '.join(commands)}.", file=sys.stderr)
        sys.exit(2)
    os.chdir(ROOT)
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    os.execvpe("/bin/sh", ["sh", "-c", f"exec {commands[arguments[0]]}"], environment)  # noqa: S606 - our own Procfile


def procfile_commands() -> dict[str, str]:
    """Return the command of each process, by its name."""
    return dict(re.findall(r"^(\w+): (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE))


if __name__ == "__main__":
    main(sys.argv[1:])
