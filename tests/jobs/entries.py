"""Functions that the sandbox runs in place of the engine, for tests of the queue."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Progress = Callable[[str, dict[str, Any]], None]


def sleep_and_tell(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Leave a file named after this process in the work folder, and sleep for a minute."""
    Path(f"pid-{os.getpid()}").touch()
    time.sleep(60)
    return {}
