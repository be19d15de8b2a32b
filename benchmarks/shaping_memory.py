"""Measure memory and time of the largest renders we accept: `python -m benchmarks.shaping_memory`.

Each goes through the sandbox as in production. Fails when the address space of a child comes nearer than a
quarter to the sandbox's limit, or when a render takes longer than it may.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.audio.render.chop import MAX_CHOPS
from app.audio.render.recipe import MAX_SLICES, RenderRecipe
from app.audio.render.slice_set import SliceSet
from app.engine.child_process import work_on_file
from app.sandbox.runner import ChildLimits, Sandbox
from benchmarks.engine_memory import LIMIT_S, LargeFile, write_file
from benchmarks.tables import Table, add_document_option, show_tables

MAX_SHARE = 0.75
_EVERYTHING = {
    "trim_db": -60.0, "remove_dc": True, "mono": "auto", "speed": 1.35, "reverse": True, "fade_in_ms": 5.0,
    "fade_out_ms": 60_000.0, "level": -14.0, "level_unit": "LUFS",
}  # fmt: skip
_ONSETS = tuple(0.14 * k for k in range(1, MAX_SLICES))
_LONG, _HALF = LargeFile(2, 48_000, 300), LargeFile(2, 48_000, 150.5)
_MANY = LargeFile(8, 384_000, 87, "FLOAT")
_LONGEST = LargeFile(2, 48_000, 1_800, "PCM_24")
_ZIP = "slices"  # so many, in one ZIP

CASES: tuple[tuple[str, LargeFile, dict[str, Any]], ...] = (
    ("nothing changed, 16 min", LargeFile(2, 48_000, 960, "PCM_24"), {}),
    ("all but stretching, 21.6 min to 16", LargeFile(2, 48_000, 1_296, "PCM_24"), _EVERYTHING),
    ("all but stretching, eight channels at 384 kHz", _MANY, _EVERYTHING),
    ("slices, 5 min to 4:21", _LONG, {"length_s": 261.0, "method": "slices", "onsets": _ONSETS}),
    ("slices, 2.5 min to 5", _HALF, {"length_s": 300.0, "method": "slices", "onsets": _ONSETS}),
    ("whole, 5 min to 2.5", _LONG, {"length_s": 150.5}),
    ("whole, 2.5 min to 5", _HALF, {"length_s": 300.0}),
    ("whole, 5 min to 4:59", _LONG, {"length_s": 299.0}),
    ("whole, an octave up, 5 min", LargeFile(2, 48_000, 299), {"transpose": 12.0}),
    ("whole, 87 s of eight channels at 384 kHz to 174", _MANY, {"length_s": 170.0}),
    (f"a ZIP of {MAX_CHOPS} slices, 30 min", _LONGEST, {_ZIP: MAX_CHOPS}),
    (f"a ZIP of {MAX_CHOPS} slices, 87 s of eight channels at 384 kHz", _MANY, {_ZIP: MAX_CHOPS}),
)  # fmt: skip


def render_and_weigh(request: dict[str, Any], progress: Callable[..., None]) -> dict[str, Any]:
    """Follow a request in the sandbox's child, and return the most memory that it had."""
    start = time.monotonic()
    work_on_file(request, lambda *_: None)
    lines = Path("/proc/self/status").read_text().splitlines()
    memory = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith(" kB")}
    return {
        "peak_mb": memory["VmHWM"],
        "space_mb": memory["VmPeak"],
        "seconds": time.monotonic() - start,
    }


def main() -> int:
    """Print the table; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="measure only what has these words in its name")
    add_document_option(parser)
    options = parser.parse_args()
    limit_mb = ChildLimits().memory_bytes / 2**20
    sandbox = Sandbox("benchmarks.shaping_memory:render_and_weigh", warm="app.audio.warm:warm_cache")
    rows, is_missed = [], False
    for name, big, fields in [case for case in CASES if options.only in case[0]]:
        found = _weigh(sandbox, big, fields)
        is_missed |= found["space_mb"] > MAX_SHARE * limit_mb or found["seconds"] > LIMIT_S
        rows.append((name, *(f"{found[key]:.0f}" for key in ("peak_mb", "space_mb", "seconds"))))
        print(*rows[-1], sep=" | ", flush=True)
    sandbox.close()
    header = ("render", "memory MB", f"address space MB, of {limit_mb:.0f}", "seconds")
    show_tables([Table("memory of renders", header, rows)], options.document)
    return int(is_missed)


def _weigh(sandbox: Sandbox, big: LargeFile, fields: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = {"source": write_file(big, folder).name, "rendered": "out.wav"} | _order(big, fields)
        return sandbox.run(request, folder=folder, timeout_s=LIMIT_S)


def _order(big: LargeFile, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a request that says what to make: slices of equal length, or a recipe."""
    count = fields.get(_ZIP)
    if count is None:
        return {"recipe": RenderRecipe.model_validate(fields).to_dict()}
    step = int(big.seconds * big.rate_hz) // count
    names = tuple(f"{number:03}.wav" for number in range(1, count + 1))
    return {"slices": SliceSet(cuts=tuple(step * k for k in range(count)), names=names).to_dict()}


if __name__ == "__main__":
    sys.exit(main())
