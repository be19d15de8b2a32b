# Tables and rules of music read best with a case on a line, however long.
# ruff: noqa: E501
"""Build the development corpus: `python -m training.corpus --out FOLDER`.

Everything comes from Debian packages (sonic-pi-samples, hydrogen-drumkits, hydrogen-data, openttd-openmsx, mma,
fluid-soundfont-gm, timgm6mb-soundfont, opl3-soundfont) and PyPI music21, or is composed by rule. Deterministic.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.installed_sounds import RATE


@dataclass
class Clip:
    """A labelled sound.

    `group` is its source, the unit of splitting; `kind` loop, track, oneshot, or keyed for what lends its key
    alone; `key` 0 to 11 major, 12 to 23 minor; `decided` is False where what is played leaves the key open.
    """

    family: str
    group: str
    kind: str
    y: np.ndarray
    bpm: float | None = None
    key: int | None = None
    label: str | None = None
    tone: str | None = None
    note: float | None = None
    content: str = ""
    cut: str = "exact"
    decided: bool = True


def save_clips(clips: Iterator[Clip], out: Path, seed_name: str) -> int:
    """Write the clips of one family as int16 arrays and one index."""
    folder = out / seed_name
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for i, clip in enumerate(clips):
        row = {k: v for k, v in asdict(clip).items() if k != "y"}
        y = np.clip(clip.y, -1, 1)
        np.save(folder / f"{i:05d}.npy", (y * 32767).astype(np.int16))
        index.append({**row, "id": f"{seed_name}/{i:05d}", "duration_s": y.size / RATE})
    (folder / "index.json").write_text(json.dumps(index))
    return len(index)


def load_index(out: Path) -> list[dict[str, Any]]:
    """Rows of every family built."""
    return [row for path in sorted(out.glob("*/index.json")) for row in json.loads(path.read_text())]


def load_audio(out: Path, clip_id: str) -> np.ndarray:
    """Sound of a clip as float32."""
    return np.load(out / f"{clip_id}.npy").astype(np.float32) / 32767


def main() -> None:
    """Build the families named, or all of them."""
    from training.families import FAMILIES

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size")
    parser.add_argument("families", nargs="*", default=list(FAMILIES))
    args = parser.parse_args()
    for name in args.families or FAMILIES:
        start = time.monotonic()
        count = save_clips(FAMILIES[name](args.scale), args.out, name)
        print(f"{name}: {count} clips in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
