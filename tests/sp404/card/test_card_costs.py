"""What building a card costs: flat memory, and no engine in the web process."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

from app.sp404.card.card_builder import build
from app.sp404.card.card_files import write_files
from app.sp404.pads import PAD_NAMES
from tests.sp404.card.made_kits import card_sound, make_kit, pad

ROOT = Path(__file__).resolve().parents[3]


def test_memory_does_not_grow_with_the_number_of_pads(tmp_path: Path) -> None:
    sound = card_sound(tmp_path, 300_000, 2)
    peaks = []
    for count in (4, 40):
        places = PAD_NAMES[:count]
        tracemalloc.start()
        files = build(
            make_kit({place: pad() for place in places}), dict.fromkeys(places, sound), ["mk2", "sx", "sfz"]
        )
        assert write_files(files, tmp_path / f"o{count}") > count * 3_000_000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 3_000_000


def test_building_and_checking_load_no_engine() -> None:
    parts = ("card.card_builder", "card.kit_reading", "preflight.kit_preflight", "preflight.card_check")
    loads = "; ".join(f"import app.sp404.{part}" for part in parts)
    check = (
        f"{loads}; import sys; print([name for name in ('numpy', 'scipy', 'librosa') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("[]\n", "")
