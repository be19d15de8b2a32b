"""What the sandbox runs in tests of the queue, in place of the engine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Progress = Callable[[str, dict[str, Any]], None]


def sleep_and_tell(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Say which process this is by a file in its work folder, and sleep for long."""
    Path(f"pid-{os.getpid()}").touch()
    time.sleep(60)
    return {}
