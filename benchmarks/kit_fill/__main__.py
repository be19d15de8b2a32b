"""Fill banks from real sounds and count: python -m benchmarks.kit_fill --cache FILE [--document FILE].

Of the filled pads, how many are of the class that was asked for by the makers' labels; how many pads are
filled; near duplicates; the same seed; and the time of a fill from 20,000 rows beside one from 200.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from flask_migrate import upgrade

from app import create_app
from app.audio.result import Measurement
from app.auth import accounts
from app.config import Settings
from app.extensions import db
from app.kits import bank_filling, kit_list
from app.kits.fill_wishes import FillWishes
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.models import Job, Kit, Sample, User
from app.models.base import new_id, transaction
from app.search.indexing import follow_changes
from app.sp404.bank_layouts import LAYOUTS, BankLayout
from app.sp404.pad_candidates import MIN_VECTOR_DISTANCE
from app.upload.upload_purpose import build_sample
from benchmarks.kit_fill.sounds import LabelledSound, libraries_of, read_sounds
from benchmarks.tables import Table, add_document_option, show_tables

SEEDS = (0, 1, 2, 3, 4)
LEAST_RIGHT, MOST_RATIO = 90.0, 3.0
SMALL, LARGE, BATCH, TIMES = 200, 20_000, 500, 15
CHOSEN = [layout for layout in LAYOUTS.values() if not layout.is_chopped]
ALL = "all"
Labels = dict[str, LabelledSound]
Row = tuple[str, str, int, float, float, int, str]


def main() -> int:
    """Print the tables; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="where measurements are kept")
    parser.add_argument("--arrangements", type=int, default=40)
    parser.add_argument("--no-large", action="store_true", help="leave 20,000 rows out")
    add_document_option(parser)
    options = parser.parse_args()
    sounds = read_sounds(options.cache, options.arrangements)
    with TemporaryDirectory(prefix="kit-fill-") as folder:
        app = create_app(Settings.from_env({"DATA_DIR": folder}))
        with app.app_context():
            upgrade()
            rows, speed = _measure(sounds, large=not options.no_large)
    header = ("library", "recipe", "pads asked", "filled %", "right %", "near duplicates", "same seed")
    tables = [Table("recipes", header, rows)]
    tables += [Table("speed of filling", ("rows", "ms", "times"), speed)] if speed else []
    show_tables(tables, options.document)
    right = [row[4] for row in rows if row[1] == ALL]
    is_good = (
        min(right) >= LEAST_RIGHT and not any(row[5] for row in rows) and all(r[6] == "yes" for r in rows)
    )
    return int(not is_good or bool(speed and float(speed[-1][2]) > MOST_RATIO))


def _measure(sounds: list[LabelledSound], *, large: bool) -> tuple[list[Row], list[tuple[str, float, float]]]:
    labels: Labels = {}
    owners = {
        name: [_make_owner(f"{name} {number}", chosen, labels) for number, chosen in enumerate(drawn)]
        for name, drawn in libraries_of(sounds).items()
    }
    if large:
        owners["20,000 rows"] = [_make_owner("20,000 rows", _many(sounds, LARGE), labels)]
    rows = [_score(name, drawn, each, labels) for name, drawn in owners.items() for each in (*CHOSEN, None)]
    if not large:
        return rows, []
    small = _make_owner("200 rows", _many(sounds, SMALL), labels)
    times = [_fill_times(owner) for owner in (small, owners["20,000 rows"][0])]
    speed = [(f"{n:,}", 1000 * each, each / times[0]) for n, each in zip((SMALL, LARGE), times, strict=True)]
    return rows, speed


def _score(name: str, owners: list[User], layout: BankLayout | None, labels: Labels) -> Row:
    """Return the figures of a recipe, of all recipes together for None."""
    layouts = [layout] if layout else CHOSEN
    asked = filled = near = 0
    right: list[bool] = []
    is_same = True
    for owner, each, seed in product(owners, layouts, SEEDS):
        picks, again = _fill(owner, each, seed), _fill(owner, each, seed)
        is_same &= picks == again
        asked += len(each.roles)
        filled += len(picks)
        heard = {pad: labels[sample_id] for pad, sample_id in picks.items()}
        for pad, sound in heard.items():
            if sound.classes:
                wanted = {one.sound for one in each.roles[int(pad[1:])].classes}
                right.append(bool(wanted & set(sound.classes)))
        near += sum(_are_near(*pair) for pair in combinations(heard.values(), 2))
    share = 100 * sum(right) / len(right) if right else math.nan
    title = layout.name if layout else ALL
    return name, title, asked, 100 * filled / asked, share, near, "yes" if is_same else "no"


def _are_near(one: LabelledSound, other: LabelledSound) -> bool:
    apart = math.dist(one.analysis.similarity, other.analysis.similarity)
    return apart < MIN_VECTOR_DISTANCE or one.analysis.content_sha256 == other.analysis.content_sha256


def _fill(owner: User, layout: BankLayout, seed: int) -> dict[str, str]:
    kit = kit_list.create_kit(owner, KitState("Benchmark"))
    with suppress(bank_filling.NothingToFillError):
        bank_filling.fill_bank(owner, kit, "A", FillWishes(layout), seed)
    picks = {name: pad.sample_id for name, pad in load_state(kit).pads.items() if pad.sample_id}
    _drop(kit)
    return picks


def _drop(kit: Kit) -> None:
    with transaction() as session:
        session.delete(kit)


def _fill_times(owner: User) -> float:
    """Return the median time of a fill in seconds, once everything is loaded."""
    times = []
    for seed in range(TIMES + 1):
        kit = kit_list.create_kit(owner, KitState("Timed"))
        started = time.process_time()
        bank_filling.fill_bank(owner, kit, "A", FillWishes(LAYOUTS["boom-bap"]), seed)
        times.append(time.process_time() - started)
        _drop(kit)
    return median(times[1:])


def _many(sounds: list[LabelledSound], count: int) -> Iterator[LabelledSound]:
    """Yield so many sounds: the real ones again and again, with vectors moved as far as another take lies."""
    chance = Random(count)
    for number in range(count):
        sound = sounds[number % len(sounds)]
        moved = tuple(x + chance.gauss(0, 0.06) for x in sound.analysis.similarity)
        yield replace(sound, analysis=replace(sound.analysis, similarity=moved, content_sha256=str(number)))


def _make_owner(name: str, sounds: Iterable[LabelledSound], labels: dict[str, LabelledSound]) -> User:
    owner = accounts.register_user(
        f"{name.replace(' ', '-').replace(',', '')}@example.com", "a quiet long password", "UTC"
    )
    batch: list[Sample] = []
    started = time.monotonic()
    for sound in sounds:
        job = Job(
            id=new_id(), user_id=owner.id, filename=f"{sound.name}.wav"[:150], format="WAV", size_bytes=1
        )
        job.content_sha256, job.incoming_key = "", f"incoming/{owner.id}/{job.id}.wav"
        batch.append(build_sample(job, Measurement(sound.analysis, ""), {}))
        labels[job.id] = sound
        if len(batch) == BATCH:
            _store(batch)
    _store(batch)
    while follow_changes(owner.id):
        pass
    print(f"{name}: made in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return owner


def _store(batch: list[Sample]) -> None:
    with transaction() as session:
        session.add_all(batch)
    for sample in batch:
        db.session.expunge(sample)
    batch.clear()


if __name__ == "__main__":
    sys.exit(main())
