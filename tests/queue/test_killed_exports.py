"""A worker is killed three times in the middle of a card of 160 pads: in the end there is one card."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from app.cards import card_orders
from app.cards.card_job import PADS_DONE
from app.extensions import db, settings
from app.integrations.storage import open_store
from app.jobs import cleanup
from app.jobs.measure_step import WAV_TYPE
from app.kits import kit_list, pad_edits
from app.kits.kit_state import KitState
from app.models import CardExport, Job, Kit, Usage, User
from app.models.base import utcnow
from app.models.usage import EXPORT
from app.sp404.pads import PAD_NAMES
from tests.queue.lab import EMBEDDED, Consumer, lab, member, wait_for
from tests.search.test_text_conditions import shelve
from tests.sp404 import second_reader

pytestmark = pytest.mark.services
KILLED_AT = (8, 80, 152)  # pads that were rendered: at the start, half-way, and near the end
FRAMES = 24_000


def full_kit(user: User, folder: Path) -> Kit:
    """Return a kit with a sound of its own on each of the 160 pads."""
    samples = list(shelve(user, {f"Sound {pad}": {} for pad in PAD_NAMES}).values())
    chance, store = np.random.default_rng(7), open_store(settings())
    for sample in samples:
        wav = folder / "sound.wav"
        soundfile.write(wav, chance.uniform(-0.5, 0.5, (FRAMES, 2)), 48_000, subtype="PCM_16")
        store.put(sample.sp404_key, wav, WAV_TYPE)
    held = {pad: pad_edits.pad_for_sample(each) for pad, each in zip(PAD_NAMES, samples, strict=True)}
    return kit_list.create_kit(user, KitState("Full kit").with_pads(held))


def state_of(job: Job) -> str:
    db.session.rollback()
    db.session.refresh(job)
    return job.state


def pads_done(job: Job) -> int:
    """Return how many pads the present attempt has rendered; 0 while none runs."""
    return int(job.results.get(PADS_DONE, 0)) if state_of(job) == "processing" else 0


def kill_at(job: Job, worker: Consumer, pads: int, attempt: int) -> None:
    wait_for(lambda: pads_done(job) >= pads and job.attempt == attempt, 60, f"{pads} pads of try {attempt}")
    worker.kill()
    assert state_of(job) == "processing", "it was killed in the middle"
    worker.start()


def stored_keys() -> list[str]:
    return [
        key
        for prefix in ("incoming/", "samples/", "made/")
        for key in open_store(settings()).older_than(prefix, utcnow())
    ]


@pytest.mark.timeout(300)
def test_a_card_is_made_once_though_its_worker_is_killed_three_times(tmp_path: Path) -> None:
    with lab(tmp_path, EMBEDDED, "busy") as (here, _):
        user = member("p@example.com")
        kit = full_kit(user, tmp_path)
        sounds = sorted(stored_keys())
        job = card_orders.order_card(user, kit, ["mk2"])
        worker = here.add_consumer()
        for attempt, pads in enumerate(KILLED_AT, start=1):
            kill_at(job, worker, pads, attempt)
        assert (exports(), used()) == ([], [])
        wait_for(lambda: state_of(job) == "completed", 60, "the card is made")
        worker.stop()
        (card,) = exports()
        assert (card.id, used()) == (job.id, [(f"card:{job.id}", 1)])
        assert sorted(stored_keys()) == sorted([*sounds, card.store_key])
        read = second_reader.read_project(settings().data_dir / "store" / card.store_key)
        assert list(read["pads"]) == [*PAD_NAMES]
        assert work_folders_after_an_hour() == []


def exports() -> list[CardExport]:
    db.session.rollback()
    return list(db.session.scalars(select(CardExport)))


def used() -> list[tuple[str, int]]:
    rows = select(Usage.entry_key, Usage.quantity).where(Usage.kind == EXPORT)
    return [(row[0], row[1]) for row in db.session.execute(rows)]


def work_folders_after_an_hour() -> list[Path]:
    """Return what housekeeping leaves of the work folders of the killed attempts."""
    folder = settings().data_dir / "tmp"
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    cleanup.remove_temporary_files()
    return list(folder.iterdir())
