"""A sound in a user's library, and everything that was measured of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from app.audio.result import Measurement
from app.models.base import Model, UtcDateTime, new_id, utcnow
from app.models.collection import Collection
from app.models.corrections import Corrections
from app.models.sample_places import MAX_FOLDER_PATH, NO_PLACE, SamplePlace
from app.models.sample_vector import SampleVector
from app.models.text_folding import fold_text
from app.music.sound_classes import HI_HAT, SOUND_FAMILIES, sound_colour, sound_label
from app.sp404.unit_limits import fits_on_pad

MAX_TAGS = 20
# Parts of a measurement that are stored in columns of their own
STORED_APART = {"peaks", "bars", "similarity", "similarity_version", "fingerprint"}


class Tag(Model):
    __tablename__ = "sample_tags"

    sample_id: Mapped[str] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)


class Sample(Corrections, Model):
    """A sample with its values in force: a user's corrections override the measurement and the description.

    The measurement stays in the features, and the description in `described`. So a correction can be taken
    back, and it outlives a new measurement or description.
    """

    __tablename__ = "samples"
    __table_args__ = (
        Index("ix_samples_library", "user_id", "deleted_at", "id"),
        # All that a list of collections and folders says about them
        Index("ix_samples_collection", "collection_id", "deleted_at", "folder", "size_bytes", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    filename: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(16))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_sha256: Mapped[str] = mapped_column(String(64), index=True)
    original_key: Mapped[str] = mapped_column(String(200))
    sp404_key: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[str | None] = mapped_column(String(26))  # the sample it was cut from
    # No foreign key: whoever removes a collection for good empties this first.
    collection_id: Mapped[str | None] = mapped_column(String(26))
    folder: Mapped[str] = mapped_column(String(MAX_FOLDER_PATH), default="", server_default="")
    pad_name: Mapped[str | None] = mapped_column(String(23))  # on the card; chosen by the first download

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
    # All searchable words, folded: the name in the first line, one field in each of the others
    folded_text: Mapped[str | None] = mapped_column(Text)
    search_text: Mapped[str] = mapped_column(Text)  # the same, not folded; the previous version searches it
    liked: Mapped[bool] = mapped_column(default=False)

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    collection: Mapped[Collection | None] = relationship(
        primaryjoin=lambda: foreign(Sample.collection_id) == Collection.id, viewonly=True
    )
    features: Mapped[AudioFeatures] = relationship(back_populates="sample", cascade="all, delete-orphan")
    # None for a sample that no engine with vectors has measured yet
    vector: Mapped[SampleVector | None] = relationship(
        back_populates="sample", cascade="all, delete-orphan", passive_deletes=True
    )
    tags: Mapped[list[Tag]] = relationship(cascade="all, delete-orphan", order_by=Tag.name, lazy="selectin")

    @property
    def fits_a_pad(self) -> bool:
        return fits_on_pad(self.duration_s)

    @property
    def place(self) -> SamplePlace:
        """Return where it is kept; a collection in the trash is none."""
        if self.collection is None or self.collection.deleted_at is not None:
            return NO_PLACE
        return SamplePlace(self.collection.name, self.folder)

    @property
    def colour(self) -> str:
        return sound_colour(self.kind, self.sound)

    @property
    def sound_label(self) -> str:
        return sound_label(self.kind, self.sound)

    @property
    def tag_names(self) -> list[str]:
        return [tag.name for tag in self.tags]

    def retag(self, names: list[str]) -> None:
        self.tags = [Tag(name=name) for name in dict.fromkeys(names)]

    def index_for_search(self) -> None:
        """Store all searchable words in one column, and their folded form in another."""
        words = [self.name, self.filename, self.kind, self.sound or "", self.key or "", *self.tag_names]
        if self.sound in SOUND_FAMILIES[HI_HAT]:
            words.append(HI_HAT)
        vibe = self.vibe
        words += [*vibe.get("moods", []), *vibe.get("character", [])]
        words += [vibe.get("texture", ""), vibe.get("use", "")]
        words += [*vibe.get("tags", []), *(genre["name"] for genre in vibe.get("genres", []))]
        self.search_text = "\n".join(words).casefold()  # a phrase does not span two fields
        self.folded_text = fold_text(self.search_text)


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
            measured={name: value for name, value in plain.items() if name not in STORED_APART},
        )
