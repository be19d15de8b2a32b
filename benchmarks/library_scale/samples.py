"""Libraries of samples with names, tags and likes as producers have them; the same ones for the same seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from app.music.sound_classes import LOOP
from benchmarks.library_scale.sounds import LENGTH_PLACE, Sound

SEED = 404
# All uploads lie in the past, so none uses up the plan of the current month.
FIRST, SPAN = datetime(2023, 3, 1, tzinfo=UTC), timedelta(days=1100)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ADJECTIVES = (
    "Dusty", "Deep", "Crunchy", "Warm", "Broken", "Vinyl", "Analog", "Dirty", "Soft", "Hard", "Tight", "Fat",
    "Lofi", "Cold", "Golden", "Night", "Midnight", "Tape", "Swing", "Raw",
)  # fmt: skip
PACKS = ("AmenBreak", "Funky Drummer", "KSHMR", "SP303", "Beat Tape", "Crate", "Soul Kit", "MPC", "Session")
WORDS_OF_SOUND = {"closed hat": "ClHat", "open hat": "Open Hat", "vocal-like": "Vox", "full mix": "Mix"}
TAGS = (
    "drums", "lo-fi", "boom-bap", "favourite", "live-set", "dark", "warm", "vinyl", "intro", "verse", "hook",
    "bass", "keys", "sketch", "client", "album-2", "ep", "tape", "field", "808",
)  # fmt: skip


class Owner(NamedTuple):
    """A user and the size of the library."""

    id: str
    email: str
    size: int


@dataclass(slots=True)
class Row:
    """A sample as it is stored, without what all samples of a measurement share."""

    id: str
    owner: str
    number: int  # in the order of uploading
    name: str
    measured: Sound
    bpm: float | None
    duration_s: float
    tags: tuple[str, ...]
    liked: bool
    created_at: datetime
    deleted_at: datetime | None

    @property
    def filename(self) -> str:
        return f"{self.name}.wav"

    @property
    def measured_json(self) -> str:
        return self.measured.measured_json.replace(LENGTH_PLACE, str(self.duration_s), 1)

    @property
    def corrections(self) -> str:
        """Return the corrections as JSON: only the tempo of some loops is corrected."""
        return json.dumps({} if self.bpm == self.measured.bpm else {"bpm": self.bpm})

    @property
    def search_text(self) -> str:
        """Return the searchable words, one field a line, as the product writes them."""
        measured = self.measured
        words = [
            self.name,
            self.filename,
            measured.kind,
            measured.sound or "",
            measured.key or "",
            *self.tags,
        ]
        words += ["hi-hat"] if measured.sound in ("closed hat", "open hat") else []
        return "\n".join([*words, *measured.words]).casefold()


def make_owners(sizes: Sequence[int], others: int) -> list[Owner]:
    """Return an owner of a library of each size, then others with a hundred samples each."""
    names = [f"of-{size}" for size in sizes] + [f"other-{number}" for number in range(others)]
    counts = [*sizes, *[100] * others]
    return [
        Owner(_ulid(FIRST, number), f"{name}@example.com", size)
        for number, (name, size) in enumerate(zip(names, counts, strict=True))
    ]


def make_rows(owner: Owner, sounds: Sequence[Sound]) -> Iterator[Row]:
    """Yield the samples of an owner in the order in which they were uploaded."""
    rng = Random(f"{SEED} {owner.email}")
    step = SPAN / owner.size
    for number in range(owner.size):
        measured = sounds[int(rng.random() * len(sounds))]
        created_at = FIRST + step * (number + rng.random())
        yield Row(
            id=_ulid(created_at, rng.getrandbits(80)),
            owner=owner.id,
            number=number,
            name=_make_name(rng, measured, number),
            measured=measured,
            bpm=_bpm_in_force(rng, measured),
            duration_s=round(measured.analysis.duration_s * rng.uniform(0.95, 1.05), 4),
            tags=_make_tags(rng, number),
            liked=rng.random() < 0.08,
            created_at=created_at,
            deleted_at=created_at + timedelta(days=20) if rng.random() < 0.01 else None,
        )


def _make_name(rng: Random, measured: Sound, number: int) -> str:
    """Return a name such as `Dusty Kick 0123`, `AmenBreak_174bpm` or `Crate-Bass Loop 0007 Am`."""
    word = WORDS_OF_SOUND.get(measured.sound or "", (measured.sound or "atmosphere").title())
    first, mark = rng.choice(ADJECTIVES if rng.random() < 0.6 else PACKS), rng.choice("  _-")
    if measured.kind != LOOP:
        return f"{first}{mark}{word} {number:04}"
    if rng.random() < 0.4:
        return f"{first}_{measured.bpm:.0f}bpm_{number}"
    key = f" {measured.key.replace(' minor', 'm').replace(' major', 'maj')}" if measured.key else ""
    return f"{first}{mark}{word} Loop {number:04}{key}"


def _bpm_in_force(rng: Random, measured: Sound) -> float | None:
    """Return the measured tempo, or for a few loops the half of it, as their owner corrected it."""
    return measured.bpm / 2 if measured.bpm and rng.random() < 0.03 else measured.bpm


def _make_tags(rng: Random, number: int) -> tuple[str, ...]:
    """Return up to three common tags, the first ones more often, and the tag of every 500 samples."""
    found = {TAGS[int(len(TAGS) * rng.random() ** 2)] for _ in range(int(rng.random() * 4))}
    if rng.random() < 0.2:
        found.add(f"pack-{number // 500:04}")
    return tuple(sorted(found))


def _ulid(time: datetime, noise: int) -> str:
    """Return an id as the product makes them, of a time and 80 given bits."""
    value = (int(time.timestamp() * 1000) << 80) | noise
    return "".join(CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))
