"""The similarity vectors of samples, by which sounds that are alike are found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.audio.result import Analysis
from app.audio.similarity import layout
from app.extensions import db
from app.models.base import Model, UtcDateTime, utcnow
from app.models.search_row import RowNumber

if TYPE_CHECKING:
    from app.models.sample import Sample


class SampleVector(Model):
    """The vector of one sample. It never changes: a new vector is a new row with a higher number.

    So a process that keeps vectors finds everything new among the numbers it has not seen. No number is used
    twice.
    """

    __tablename__ = "sample_vectors"
    __table_args__ = (Index("ix_sample_vectors_user", "user_id", "number"), {"sqlite_autoincrement": True})

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    sample_id: Mapped[str] = mapped_column(
        String(26), ForeignKey("samples.id", ondelete="CASCADE"), unique=True
    )
    user_id: Mapped[str] = mapped_column(String(26), ForeignKey("users.id", ondelete="CASCADE"))
    version: Mapped[int]  # layout.SIMILARITY_VERSION when it was measured
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # by layout.to_bytes
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    sample: Mapped[Sample] = relationship(back_populates="vector")

    @classmethod
    def from_analysis(cls, user_id: str, analysis: Analysis) -> Self | None:
        """Build the row of a user's sample; None for an engine that is too old to report a vector."""
        if not analysis.similarity:
            return None
        stored = layout.to_bytes(analysis.similarity)
        return cls(user_id=user_id, version=analysis.similarity_version, vector=stored)


def replace_vector(sample: Sample, analysis: Analysis) -> bool:
    """Give a sample the vector of a new analysis, in the caller's transaction; return whether it changed.

    A row that is the same stays, and so does one that the analysis has no vector to replace.
    """
    new, old = SampleVector.from_analysis(sample.user_id, analysis), sample.vector
    if new is None or (old and (old.version, old.vector) == (new.version, new.vector)):
        return False
    sample.vector = None
    db.session.flush()  # the old row goes first, as a sample has one at most
    sample.vector = new
    return True
