"""A warmed engine compiles nothing during a job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

COMPILED = """
import gc
import numpy as np
from numba.core.dispatcher import Dispatcher
from app.audio.analyzer import analyze_sound
from app.audio.warm import warm_cache
from tests.audio.signals import RATE_HZ, chord, column, drums, kick, noise
warm_cache()
silence = np.zeros((RATE_HZ, 2), dtype=np.float32)
pitched = (chord((60, 63, 67), 2.0), chord((57,), 1.0))
for samples in (drums(93, 8), *pitched, column(kick()), noise(0.01), silence):
    analyze_sound(samples, RATE_HZ)
found = [o for o in gc.get_objects() if Dispatcher in type(o).__mro__]
assert found, "numba was not even imported"
compiled = [o for o in found if o.signatures]
assert not compiled, compiled
"""


def test_no_analysis_runs_a_function_that_numba_compiles_on_demand() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPILED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
