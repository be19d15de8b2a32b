"""A sound in a user's library, and everything that was measured of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.audio.result import Analysis
from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.sp404.unit_limits import fits_on_pad
from app.vibe.feature_text import CORRECTABLE_FEATURES
from app.vibe.sound_description import BY_RULES
from app.vibe.sound_description import describe_by_rules as describe_sound

if TYPE_CHECKING:
    from app.engine.contract import Measurement  # it would load an HTTP client

# Limits of a corrected tempo; the unit itself plays 40 to 200 BPM.
MIN_BPM, MAX_BPM = 20.0, 400.0
BY_USER = "user"
# The fields a user may correct: of the measurement, and of the description.
SOUND_FIELDS = tuple(CORRECTABLE_FEATURES)
VIBE_FIELDS = (
    "moods", "energy", "texture", "era", "genres", "instruments", "use", "role", "description", "tags",
)  # fmt: skip


class Tag(Model):
    __tablename__ = "sample_tags"

    sample_id: Mapped[str] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)


class Sample(Model):
    """A sample with its values in force: a user's corrections override the measurement and the description.

    The measurement stays in the features, and the description in `described`. So a correction can be taken
    back, and it outlives a new measurement or description.
    """

    __tablename__ = "samples"
    __table_args__ = (Index("ix_samples_library", "user_id", "deleted_at", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    filename: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(16))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_sha256: Mapped[str] = mapped_column(String(64), index=True)
    original_key: Mapped[str] = mapped_column(String(200))
    sp404_key: Mapped[str] = mapped_column(String(200))

    duration_s: Mapped[float]
    kind: Mapped[str] = mapped_column(String(12))
    sound: Mapped[str | None] = mapped_column(String(24))
    bpm: Mapped[float | None]
    bpm_source: Mapped[str | None] = mapped_column(String(12))
    key: Mapped[str | None] = mapped_column(String(12))
    key_source: Mapped[str | None] = mapped_column(String(12))
    bars: Mapped[bytes] = mapped_column(LargeBinary)  # 64 heights, 0..255: the row's waveform
    described: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    corrections: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    search_text: Mapped[str] = mapped_column(Text)
    liked: Mapped[bool] = mapped_column(default=False)

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    features: Mapped[AudioFeatures] = relationship(back_populates="sample", cascade="all, delete-orphan")
    tags: Mapped[list[Tag]] = relationship(cascade="all, delete-orphan", order_by=Tag.name, lazy="selectin")

    @property
    def fits_a_pad(self) -> bool:
        return fits_on_pad(self.duration_s)

    @property
    def tag_names(self) -> list[str]:
        return [tag.name for tag in self.tags]

    @property
    def vibe(self) -> dict[str, Any]:
        """Return the description in force; empty when there is none."""
        return self.described | {
            name: self.corrections[name] for name in VIBE_FIELDS if name in self.corrections
        }

    def correct(self, **values: Any) -> None:
        """Correct some fields. A value equal to what was found is no correction.

        The sound is corrected first, because a description by rules follows it; only then are the user's own
        words compared with that description.
        """
        for fields in (SOUND_FIELDS, VIBE_FIELDS):
            found, given = self.found(), {name: values[name] for name in fields if name in values}
            wrong = {name: value for name, value in given.items() if value != found[name]}
            kept = {name: value for name, value in self.corrections.items() if name not in given}
            self._settle(kept | wrong)

    def revert(self, *names: str) -> None:
        """Take back the corrections of some fields, or all of them when no field is named."""
        gone = names or tuple(self.corrections)
        self._settle({name: value for name, value in self.corrections.items() if name not in gone})

    def found(self) -> dict[str, Any]:
        """Return what was measured and described, without corrections."""
        measured = self.analysis()
        words = {name: self.described.get(name) for name in VIBE_FIELDS}
        return {name: getattr(measured, name) for name in SOUND_FIELDS} | words

    @property
    def own_figures(self) -> dict[str, Any]:
        """Return the user's corrections of the measurement."""
        return {name: self.corrections[name] for name in SOUND_FIELDS if name in self.corrections}

    def analysis(self) -> Analysis:
        """Return the analysis as it was measured, without corrections."""
        waveform = {"peaks": list(self.features.peaks), "bars": list(self.bars)}
        return Analysis.from_dict(self.features.measured | waveform)

    def corrected_analysis(self) -> Analysis:
        """Return the analysis with the user's corrections, each with full confidence."""
        own = self.own_figures
        return replace(self.analysis(), **(own | {f"{name}_confidence": 1.0 for name in own}))

    @property
    def is_by_rules(self) -> bool:
        """Return whether the description was written by rules and not by a model."""
        return bool(self.described) and self.described.get("source", BY_RULES) == BY_RULES

    def describe(self, described: dict[str, Any]) -> None:
        """Replace the description; corrections stay in force."""
        self.described = described
        self._settle(self.corrections)

    def describe_by_rules(self) -> None:
        """Replace the description by what rules say of the corrected analysis."""
        self.describe(describe_sound(self.corrected_analysis()).to_dict())

    def measure(self, features: AudioFeatures, bars: bytes) -> None:
        """Replace the measurement by one of the same bytes; corrections stay in force."""
        self.features, self.bars = features, bars
        self.duration_s = self.analysis().duration_s
        if self.is_by_rules:
            self.describe_by_rules()
        else:
            self._settle(self.corrections)

    def _settle(self, corrections: dict[str, Any]) -> None:
        """Store the corrections and the values in force, and update a description by rules to match them."""
        figures, self.corrections = self.own_figures, corrections
        if self.is_by_rules and self.own_figures != figures:
            self.described = describe_sound(self.corrected_analysis()).to_dict()
        measured, in_force = self.analysis(), self.found() | corrections
        for name in SOUND_FIELDS:
            setattr(self, name, in_force[name])
        for name in ("bpm", "key"):
            source = BY_USER if name in corrections else getattr(measured, f"{name}_source")
            setattr(self, f"{name}_source", source)
        self.index_for_search()

    def retag(self, names: list[str]) -> None:
        self.tags = [Tag(name=name) for name in dict.fromkeys(names)]

    def index_for_search(self) -> None:
        """Gather all searchable words in one column."""
        words = [self.name, self.filename, self.kind, self.sound or "", self.key or "", *self.tag_names]
        vibe = self.vibe
        words += [*vibe.get("moods", []), vibe.get("texture", ""), vibe.get("use", "")]
        words += [*vibe.get("tags", []), *(genre["name"] for genre in vibe.get("genres", []))]
        self.search_text = "\n".join(words).casefold()  # a phrase does not span two fields


class AudioFeatures(Model):
    """The measurement of the engine, which corrections do not change."""

    __tablename__ = "audio_features"

    sample_id: Mapped[str] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    engine_version: Mapped[str] = mapped_column(String(24))
    sample_rate: Mapped[int]
    channels: Mapped[int]
    bpm: Mapped[float | None]
    bpm_confidence: Mapped[float]
    key: Mapped[str | None] = mapped_column(String(12))
    key_confidence: Mapped[float]
    kind_confidence: Mapped[float]
    loudness_db: Mapped[float | None]
    brightness: Mapped[float | None]
    noisiness: Mapped[float | None]
    peaks: Mapped[bytes] = mapped_column(LargeBinary)  # 800 heights, 0..255: the player's waveform
    measured: Mapped[dict[str, Any]] = mapped_column(JSON)  # the engine's whole answer

    sample: Mapped[Sample] = relationship(back_populates="features")

    @classmethod
    def from_measurement(cls, measurement: Measurement) -> AudioFeatures:
        """Build the features of a sample from what the engine measured."""
        analysis, plain = measurement.analysis, measurement.to_dict()
        return cls(
            engine_version=analysis.engine_version,
            sample_rate=analysis.sample_rate,
            channels=analysis.channels,
            bpm=analysis.bpm,
            bpm_confidence=analysis.bpm_confidence,
            key=analysis.key,
            key_confidence=analysis.key_confidence,
            kind_confidence=analysis.kind_confidence,
            loudness_db=analysis.loudness_db,
            brightness=analysis.brightness,
            noisiness=analysis.noisiness,
            peaks=bytes(analysis.peaks),
            measured={name: value for name, value in plain.items() if name not in {"peaks", "bars"}},
        )
