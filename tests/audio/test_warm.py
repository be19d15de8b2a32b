"""The engine in its sandbox, warmed, without compiling anything in a job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

COMPILED = """
import gc
from numba.core.dispatcher import Dispatcher
from app.audio.warm import warm
warm()
found = [o for o in gc.get_objects() if Dispatcher in type(o).__mro__]
assert found, "numba was not even imported"
assert not [o for o in found if o.signatures]
"""


def test_an_analysis_runs_no_function_that_numba_compiles_on_demand() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPILED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
