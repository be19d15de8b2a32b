"""Copies of one recording in several formats, and libraries made of them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import soundfile
from sqlalchemy import select

from app.deduplication.comparison import compare_due_samples
from app.deduplication.group_list import list_groups
from app.extensions import db
from app.models import Sample, User
from tests.support import RATE, Browser, finished_job, noise, tone

Audio = np.ndarray[Any, Any]


def snare(seed: int = 7, pitch_hz: float = 190.0) -> Audio:
    """Return a snare of 0.4 s; another seed is another hit of the same instrument."""
    count = round(0.4 * RATE)
    wires = np.random.default_rng(seed).uniform(-1, 1, count) * np.exp(-14 * np.arange(count) / RATE)
    return 0.35 * wires + 0.4 * tone(pitch_hz, 0.4, 20)


def melody() -> Audio:
    """Return four seconds of notes with a few harmonics and some noise."""
    notes = [tone(f, 0.5, 4) + 0.5 * tone(2 * f, 0.5, 6) for f in (220, 262, 330, 294, 220, 392, 349, 262)]
    return 0.3 * np.concatenate(notes) + 0.02 * noise(4.0)


def encoded(samples: Audio, name: str, subtype: str | None = None, rate: int = RATE) -> bytes:
    """Return samples as a file of the format that the name says."""
    file = BytesIO()
    soundfile.write(file, samples, rate, format=name.rsplit(".", 1)[-1].upper(), subtype=subtype)
    return file.getvalue()


def add(browser: Browser, name: str, content: bytes) -> str:
    """Upload a file and measure it; return the id of its sample."""
    sample_id = finished_job(browser, name, content).sample_id
    assert sample_id is not None
    return sample_id


def grouped(user: User) -> list[list[str]]:
    """Compare what is due, and return the names in each group of the user, the one that is kept first."""
    compare_due_samples()
    db.session.expire_all()
    found = [group.sample_ids for group in list_groups(user).groups]
    names = dict(db.session.execute(select(Sample.id, Sample.name)).all())
    return sorted([names[ids[0]], *sorted(names[each] for each in ids[1:])] for ids in found)
