"""Compile and cache all numba functions: `python -m app.audio.warm` at set-up, and in each new fork server.

Two processes that compiled into one cold numba cache have corrupted it, and then every later process died of
a segmentation fault. So a lock beside the cache lets one work while the others wait.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RATE_HZ = 44_100
_CACHE_FOLDER = Path(__file__).resolve().parents[2] / "instance" / "numba"


def warm_cache() -> None:
    """Analyse a synthetic loop of two seconds while holding the lock of the numba cache."""
    with _hold_lock(set_cache_folder()):
        _analyze_test_loop()


def set_cache_folder() -> Path:
    """Make numba use one fixed folder for its cache, and return it.

    Call this before anything imports librosa. `NUMBA_CACHE_DIR` wins when it is set.
    """
    return Path(os.environ.setdefault("NUMBA_CACHE_DIR", str(_CACHE_FOLDER)))


def _analyze_test_loop() -> None:
    import numpy as np

    from app.audio.analyzer import analyze_sound

    times = np.arange(2 * _RATE_HZ) / _RATE_HZ
    clicks = np.sin(2 * np.pi * 220.0 * times) * np.exp(-20.0 * (times % 0.25))
    analyze_sound(clicks.astype(np.float32)[:, None], _RATE_HZ)


@contextmanager
def _hold_lock(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    started = time.monotonic()
    warm_cache()
    sys.stdout.write(f"The audio engine is ready after {time.monotonic() - started:.1f} s.\n")
