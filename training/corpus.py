"""Build the corpus that the models are fitted on: `python -m training.corpus --out FOLDER`.

Everything comes from Debian packages and the Python package music21 (README.md lists them), or is composed by
rule. The same versions of the packages always give the same corpus.
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

from app.music.sound_classes import LOOP, ONE_SHOT, TEXTURE
from training.installed_sounds import RATE

KIND_OF_CLIP = {"loop": LOOP, "track": LOOP, "oneshot": ONE_SHOT, "texture": TEXTURE}
"""The kind of sample that each kind of clip is in the product, where a whole track is a loop."""


@dataclass
class Clip:
    """A labelled sound.

    `group` is its source; folds never split a source. `kind` is loop, track, oneshot, texture, keyed for
    clips that are used for their key only, or named for hits that only the similarity vector is fitted on.
    `sound` is the class of a loop, `label` that of a drum hit, `tone` that of a tone. `key` is 0 to 11 for
    major and 12 to 23 for minor. `decided` is False where the notes that are played do not decide the key.
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
    sound: str | None = None
    cut: str = "exact"
    decided: bool = True


def save_clips(clips: Iterator[Clip], out: Path, seed_name: str) -> int:
    """Write the clips of one family as int16 arrays with an index, and return how many there are."""
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
    """Return the index rows of every family that was built."""
    return [row for path in sorted(out.glob("*/index.json")) for row in json.loads(path.read_text())]


def load_audio(out: Path, clip_id: str) -> np.ndarray:
    """Return the sound of a clip as float32."""
    return np.load(out / f"{clip_id}.npy").astype(np.float32) / 32767


def main() -> None:
    """Build the named families, or all of them."""
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
