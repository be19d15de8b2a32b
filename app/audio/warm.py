"""Compiles and caches everything once: `python -m app.audio.warm` at set-up, and in every new zygote.

Two processes compiling into one cold numba cache have corrupted it, after which every later process dies
of a segmentation fault; a lock beside the cache lets one work and the others wait.
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
_CACHE = Path(__file__).resolve().parents[2] / "instance" / "numba"


def warm() -> None:
    """Analyse a second of synthetic loop, holding the lock of the numba cache."""
    with _locked(fix_cache()):
        _rehearse()


def fix_cache() -> Path:
    """Point numba at one folder, always the same; call this before anything imports librosa."""
    return Path(os.environ.setdefault("NUMBA_CACHE_DIR", str(_CACHE)))


def _rehearse() -> None:
    import numpy as np

    from app.audio.analyze import analyze

    times = np.arange(2 * _RATE_HZ) / _RATE_HZ
    clicks = np.sin(2 * np.pi * 220.0 * times) * np.exp(-20.0 * (times % 0.25))
    analyze(clicks.astype(np.float32)[:, None], _RATE_HZ)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    started = time.monotonic()
    warm()
    sys.stdout.write(f"The audio engine is ready after {time.monotonic() - started:.1f} s.\n")
