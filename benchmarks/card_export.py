"""Measure what a card costs beside converting its sounds: `python -m benchmarks.card_export FOLDER`.

The sounds of the folder are converted one by one by the engine, as for an upload, and then a kit of them is
exported by the job, in turn, as often as `--rounds` says. Fails when an export takes more than twice as long
as the conversions, or when the process that runs the job needs more memory for 160 pads than for 16.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from app.audio.render.recipe import RenderRecipe
from app.cards import card_orders
from app.engine import dispatch
from app.engine.contract import RENDERED_NAME, RenderOrder
from app.extensions import settings
from app.integrations.storage import BINARY_MIME, open_store
from app.jobs import run
from app.jobs.measure_step import WAV_TYPE
from app.kits import kit_list, pad_edits
from app.kits.kit_state import KitState
from app.models import Kit, Sample, User
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import PAD_NAMES
from benchmarks.tables import Cell, Table, add_document_option, show_tables
from tests.queue.lab import EMBEDDED, lab, member
from tests.search.test_text_conditions import shelve

Rate = Literal[48_000, 44_100]
MAX_RATIO = 2.0
MAX_GROWTH = 1.1
FEW = 16
SUFFIXES = {".wav", ".flac", ".aif", ".aiff"}
LIMIT_S = 300.0
HEADER = (
    "card of 160 pads",
    "converting one by one s",
    "export s",
    "ratio",
    "MB with 16 pads",
    "MB with 160",
)


def main() -> int:
    """Print the table; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "sounds", type=Path, metavar="FOLDER", help="with at least 160 sounds, in any subfolder"
    )
    parser.add_argument("--rounds", type=int, default=3)
    add_document_option(parser)
    options = parser.parse_args()
    paths = sorted(path for path in options.sounds.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(paths) < len(PAD_NAMES):
        parser.error(f"{options.sounds} has {len(paths)} sounds, and a full kit needs {len(PAD_NAMES)}.")
    step = len(paths) / len(PAD_NAMES)
    chosen = [paths[int(place * step)] for place in range(len(PAD_NAMES))]
    with tempfile.TemporaryDirectory() as name, lab(Path(name), EMBEDDED, "nothing"):
        exports = _Exports(member("p@example.com", "enterprise"), chosen, Path(name) / "work")
        rows = [exports.measure(case, options.rounds) for case in CASES]
    show_tables([Table("cost of a card", HEADER, rows)], options.document)
    return int(any(float(row[3]) > MAX_RATIO or float(row[5]) > MAX_GROWTH * float(row[4]) for row in rows))


@dataclass(frozen=True)
class CardCase:
    """A kind of card. Shaped sounds are kept, so each export shapes them in another way."""

    words: str
    target: str
    rate_hz: Rate = 48_000
    is_shaped: bool = False

    def recipe(self, number: int) -> RenderRecipe:
        return RenderRecipe(level=-1.0 - number / 10) if self.is_shaped else RenderRecipe()


CASES = (
    CardCase("project, sounds as they are", "mk2"),
    CardCase("project, each sound shaped", "mk2", is_shaped=True),
    CardCase("SP-404SX, from the originals", "sx", 44_100),
)


class _Exports:
    """An account with the sounds in its library, as they were uploaded and as they were converted."""

    def __init__(self, user: User, paths: Sequence[Path], folder: Path) -> None:
        self.user, self.folder = user, folder
        self.samples = list(
            shelve(user, {f"{place} {path.stem}"[:100]: {} for place, path in enumerate(paths)}).values()
        )
        for sample, path in zip(self.samples, paths, strict=True):
            open_store(settings()).put(sample.original_key, path, BINARY_MIME)
        self._convert(RenderRecipe(), 48_000, keep=True)  # this warms the engine too

    def measure(self, case: CardCase, rounds: int) -> tuple[Cell, ...]:
        """Return the row of a card: medians of the times, and the most memory with few pads and with all."""
        converted, exported = [], []
        for number in range(rounds):
            recipe = case.recipe(number)
            start = time.monotonic()
            self._convert(recipe, case.rate_hz)
            between = time.monotonic()
            self._export(case, recipe, len(PAD_NAMES))
            converted.append(between - start)
            exported.append(time.monotonic() - between)
        few, many = (
            self._peak_mb(case, rounds + more, pads) for more, pads in enumerate((FEW, len(PAD_NAMES)))
        )
        ratio = median(exported) / median(converted)
        return case.words, median(converted), median(exported), f"{ratio:.2f}", few, many

    def _convert(self, recipe: RenderRecipe, rate_hz: Rate, keep: bool = False) -> None:
        order = RenderOrder(recipe=recipe.to_dict(), rate_hz=rate_hz, limit_s=LIMIT_S)
        for sample in self.samples:
            self.folder.mkdir()
            dispatch.render_file(sample.original_key, self.folder, order, lambda: True)
            if keep:
                open_store(settings()).put(sample.sp404_key, self.folder / RENDERED_NAME, WAV_TYPE)
            shutil.rmtree(self.folder)

    def _export(self, case: CardCase, recipe: RenderRecipe, pads: int) -> None:
        card_orders.order_card(self.user, self._kit(recipe, self.samples[:pads]), [case.target])
        ending = run.run_next()
        assert ending is not None, "no job was ready"
        assert ending.state == "completed", ending

    def _kit(self, recipe: RenderRecipe, samples: Sequence[Sample]) -> Kit:
        shaped = PadSettings(recipe=None if recipe.changes_nothing else recipe)
        held = {
            pad: pad_edits.pad_for_sample(each, shaped) for pad, each in zip(PAD_NAMES, samples, strict=False)
        }
        return kit_list.create_kit(self.user, KitState("Full kit").with_pads(held))

    def _peak_mb(self, case: CardCase, number: int, pads: int) -> float:
        """Return the most memory that this process has while it runs the job, from a reset counter."""
        Path("/proc/self/clear_refs").write_text("5")
        self._export(case, case.recipe(number), pads)
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    sys.exit(main())
