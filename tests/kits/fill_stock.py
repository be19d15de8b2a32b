"""Libraries for tests of filling: sounds of chosen classes with made-up measurements and vectors."""

from __future__ import annotations

import random
from typing import Any

from app.audio.similarity.layout import LENGTH
from app.models import Job, Sample, User
from app.models.base import new_id, transaction
from app.music.sound_classes import LOOP, ONE_SHOT, TEXTURE
from app.upload.upload_purpose import build_sample
from tests.measurements import loop_measurement
from tests.search.test_text_conditions import DULL

HITS = ("kick", "snare", "rim", "clap", "closed hat", "open hat", "tom", "cymbal", "shaker")
TONES = ("bass", "vocal-like", "fx")
LOOPS = ("drums", "percussion", "bass", "chords", "melody")
UNPITCHED = ("drums", "percussion")


def vector_at(place: float, seed: int = 0) -> tuple[float, ...]:
    """Return a vector; those of one seed lie as far apart as their places."""
    direction = random.Random(f"direction {seed}")
    numbers = [direction.gauss(0, 1) for _ in range(LENGTH)]
    size = sum(x * x for x in numbers) ** 0.5
    return tuple(1.0 + place * x / size for x in numbers)


def shelve_sound(owner: User, name: str, kind: str, sound: str | None, **measured: Any) -> Sample:
    """Add a sample of a class as the job of such a file would have made it."""
    job = Job(id=new_id(), user_id=owner.id, filename=f"{name}.wav", format="WAV", size_bytes=1)
    job.content_sha256, job.incoming_key = "", f"incoming/{owner.id}/{job.id}.wav"
    fields: dict[str, Any] = {"kind": kind, "sound": sound, "sound_confidence": 0.9, "kind_confidence": 0.9}
    if kind != LOOP:
        fields |= {"bpm": None, "bpm_confidence": 0.0, "onsets": ((0.0, 1.0),), "duration_s": 0.5}
    if kind != LOOP or sound in UNPITCHED:
        fields |= {"key": None, "key_confidence": 0.0}
    described = DULL | measured.pop("described", {})
    with transaction() as session:
        sample = build_sample(job, loop_measurement(**(fields | measured)), described)
        session.add(sample)
    return sample


def shelve_library(owner: User, each: int, **measured: Any) -> list[Sample]:
    """Add so many sounds of every class, with vectors that are far enough from each other."""
    classes = [(ONE_SHOT, sound) for sound in (*HITS, *TONES)] + [(LOOP, sound) for sound in LOOPS]
    found = []
    for place in range(each):
        for number, (kind, sound) in enumerate([*classes, (TEXTURE, None)]):
            vector = vector_at(1.0 + place, number)
            name = f"{sound or kind} {kind} {place}"
            found.append(shelve_sound(owner, name, kind, sound, similarity=vector, **measured))
    return found
