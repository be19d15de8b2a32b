"""The similarity vectors of samples, by which sounds that are alike are found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.audio.result import Analysis
from app.audio.similarity import layout
from app.extensions import db
from app.models.base import Model, UtcDateTime, utcnow
from app.models.search_row import RowNumber

if TYPE_CHECKING:
    from app.models.sample import Sample

IS_DUE = text("compare_at IS NOT NULL")
MEASURED = ("version", "vector", "fingerprint", "audio_sha256", "bit_depth")


class SampleVector(Model):
    """The vector of one sample. It never changes: a new vector is a new row with a higher number.

    So a process that keeps vectors finds everything new among the numbers it has not seen. No number is used
    twice. The row also has what duplicates are found by.
    """

    __tablename__ = "sample_vectors"
    __table_args__ = (
        Index("ix_sample_vectors_user", "user_id", "number"),
        Index("ix_sample_vectors_audio", "user_id", "audio_sha256"),
        Index("ix_sample_vectors_due", "compare_at", sqlite_where=IS_DUE, postgresql_where=IS_DUE),
        Index(
            "ix_sample_vectors_due_of_user",
            "user_id",
            "compare_at",
            sqlite_where=IS_DUE,
            postgresql_where=IS_DUE,
        ),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    sample_id: Mapped[str] = mapped_column(
        String(26), ForeignKey("samples.id", ondelete="CASCADE"), unique=True
    )
    user_id: Mapped[str] = mapped_column(String(26), ForeignKey("users.id", ondelete="CASCADE"))
    version: Mapped[int]  # layout.SIMILARITY_VERSION when it was measured
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # by layout.to_bytes
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    # By which copies are found, `layout.FINGERPRINT_LENGTH` bytes; None for silence
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Of rate, channels and decoded samples: the same audio in two lossless files has the same.
    audio_sha256: Mapped[str | None] = mapped_column(String(64))
    bit_depth: Mapped[int | None]  # of the file; None for lossy formats, and where it is not known
    # When it is to be compared with the others to find duplicates; None once that is done.
    compare_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=utcnow)

    sample: Mapped[Sample] = relationship(back_populates="vector")

    @classmethod
    def from_analysis(cls, user_id: str, analysis: Analysis) -> Self | None:
        """Build the row of a user's sample; None for an engine that is too old to report a vector."""
        if not analysis.similarity:
            return None
        stored = layout.to_bytes(analysis.similarity)
        return cls(
            user_id=user_id,
            version=analysis.similarity_version,
            vector=stored,
            fingerprint=bytes(analysis.fingerprint) or None,
            audio_sha256=analysis.content_sha256 or None,
            bit_depth=analysis.bit_depth,
        )


def replace_vector(sample: Sample, analysis: Analysis) -> bool:
    """Give a sample the vector of a new analysis, in the caller's transaction; return whether it changed.

    A row that is the same stays, and so does one that the analysis has no vector to replace.
    """
    new, old = SampleVector.from_analysis(sample.user_id, analysis), sample.vector
    if new is None or (old and all(getattr(old, name) == getattr(new, name) for name in MEASURED)):
        return False
    sample.vector = None
    db.session.flush()  # the old row goes first, as a sample has one at most
    sample.vector = new
    return True
