"""Exit with 0 if an address answers 200, for health checks: `python -m scripts.healthy URL`."""

from __future__ import annotations

import sys
import urllib.request

TIMEOUT_S = 4


def main(url: str) -> int:
    """Return the exit code."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S):  # noqa: S310 - an address of compose.yaml
            return 0
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
