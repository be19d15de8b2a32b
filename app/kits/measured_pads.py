"""The pads of a bank with what was measured of their sounds, for fitting them and for giving reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.audio.goes_with import SoundPart, part_of_measurement
from app.extensions import db
from app.kits.kit_state import KitState, PadState
from app.models import AudioFeatures, Sample, User
from app.music.sound_classes import sound_label
from app.sp404.pads import pads_of_bank


@dataclass(frozen=True, slots=True)
class MeasuredSound:
    """A sample as its owner has it, with its measurement; what was corrected is sure."""

    id: str
    name: str
    kind: str
    sound: str | None
    bpm: float | None
    key: str | None
    corrections: Mapping[str, Any]
    bpm_confidence: float
    key_confidence: float
    channels: int
    measured: Mapping[str, Any]

    @property
    def label(self) -> str:
        return sound_label(self.kind, self.sound)

    @property
    def confidence(self) -> float:
        """How sure its class is, 0 to 1."""
        if "sound" in self.corrections or "kind" in self.corrections:
            return 1.0
        return float(self.measured.get("sound_confidence" if self.sound else "kind_confidence") or 0.0)

    @property
    def tempo_confidence(self) -> float:
        return 1.0 if "bpm" in self.corrections else self.bpm_confidence

    def figure(self, name: str) -> float | None:
        """Return a figure of the measurement, such as `loudness_db`; None where it has none."""
        value = self.measured.get(name)
        return float(value) if value is not None else None

    @property
    def part(self) -> SoundPart:
        return part_of_measurement(self.measured, self.kind, self.sound, self.bpm, self.key)


def measured_bank(user: User, state: KitState, bank: str) -> dict[str, tuple[PadState, MeasuredSound]]:
    """Return the pads of a bank that sound, with their sounds, in order."""
    pads = {name: state.pad(name) for name in pads_of_bank(bank)}
    known = load_measured(user, {pad.sample_id for pad in pads.values() if pad.sample_id})
    return {
        name: (pad, known[pad.sample_id])
        for name, pad in pads.items()
        if pad.sample_id and pad.sample_id in known
    }


def load_measured(user: User, ids: Collection[str]) -> dict[str, MeasuredSound]:
    """Return the user's samples with these ids, without those in the trash."""
    if not ids:
        return {}
    rows = select(
        *(Sample.id, Sample.name, Sample.kind, Sample.sound, Sample.bpm, Sample.key, Sample.corrections),
        *(AudioFeatures.bpm_confidence, AudioFeatures.key_confidence, AudioFeatures.channels),
        AudioFeatures.measured,
    ).join(AudioFeatures, AudioFeatures.sample_id == Sample.id)
    own = Sample.user_id == user.id, Sample.id.in_(ids), Sample.deleted_at.is_(None)
    return {row.id: MeasuredSound(*row) for row in db.session.execute(rows.where(*own))}
