"""The search index: what the library is searched, sorted and counted by, one narrow row for each sample.

These tables hold nothing that can't be made again from the samples: see `app.search.indexing`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint, desc
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UtcDateTime

# SQLite numbers rows by themselves only in a column that is exactly an INTEGER.
RowNumber = BigInteger().with_variant(Integer, "sqlite")
# Sorted by code point on both databases, whatever the language of the server.
SortedText = String(200).with_variant(String(200, collation="C"), "postgresql")
AXES = ("brightness", "noisiness", "loudness", "punch", "energy", "length")
# What is sorted within each kind: the longest of all samples are rarely of the kind that is asked for.
BY_KIND = ("bpm", "duration_s", "sound", *(f"{axis}_score" for axis in AXES))
NO_TEMPO = -1.0  # sorts before every tempo


class SearchRow(Model):
    """A sample as a search sees it: values in force, texts folded, and figures to rank by."""

    __tablename__ = "search_rows"
    __table_args__ = (
        Index("ix_search_rows_newest", "user_id", "live", "sample_id"),
        Index("ix_search_rows_name", "user_id", "live", "name", desc("sample_id")),
        # Names begin with the sound, so its samples are far down the order of all names.
        Index("ix_search_rows_sound_name", "user_id", "live", "sound", "name", desc("sample_id")),
        Index("ix_search_rows_key", "user_id", "live", "key", desc("sample_id")),
        *(
            Index(f"ix_search_rows_kind_{column}", "user_id", "live", "kind", column, desc("sample_id"))
            for column in BY_KIND
        ),
        # The classes that a pad of a kit may be filled from, and the library sorted by backwards
        Index("ix_search_rows_class", "user_id", "live", "kind", "sound", "sample_id"),
        Index("ix_search_rows_added", "user_id", "live", "created_at"),
    )

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)  # its place in the inverted index
    # No foreign key: of a sample that is gone, the row says what it counted as.
    sample_id: Mapped[str] = mapped_column(String(26), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    live: Mapped[bool]  # False for a deleted sample, which can be restored

    cell: Mapped[int]  # the id of its `LibraryCount`
    kind: Mapped[str] = mapped_column(String(12))
    sound: Mapped[str] = mapped_column(String(24))  # empty for none, like the key
    key: Mapped[str] = mapped_column(String(12))
    liked: Mapped[bool]
    bpm: Mapped[float]  # NO_TEMPO for none
    duration_s: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    brightness: Mapped[float | None]
    noisiness: Mapped[float | None]
    loudness: Mapped[float | None]
    punch: Mapped[float | None]
    energy: Mapped[float | None]
    # Where it lies on each axis that a sentence can sort by, 0 to 1; see `search_rows.axis_scores`
    brightness_score: Mapped[float | None]
    noisiness_score: Mapped[float | None]
    loudness_score: Mapped[float | None]
    punch_score: Mapped[float | None]
    energy_score: Mapped[float | None]
    length_score: Mapped[float | None]

    name: Mapped[str] = mapped_column(SortedText)
    # Words in a frame of blanks, ` dusty kick 01 `, so that ` kick ` is a whole word of them.
    name_words: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    description_words: Mapped[str] = mapped_column(Text)
    traits: Mapped[str] = mapped_column(Text)  # ` mood:dark tag:dusty has:key `
    text: Mapped[str] = mapped_column(Text)  # the sample's folded text with its punctuation


class LibraryCount(Model):
    """How many samples of a library share kind, sound, key and like: counts of filters are sums of these."""

    __tablename__ = "library_counts"
    __table_args__ = (UniqueConstraint("user_id", "kind", "sound", "key", "liked"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(12))
    sound: Mapped[str] = mapped_column(String(24))
    key: Mapped[str] = mapped_column(String(12))
    liked: Mapped[bool]
    samples: Mapped[int]


class LibraryTag(Model):
    """How many samples of a library have a tag."""

    __tablename__ = "library_tags"
    __table_args__ = (Index("ix_library_tags_most_used", "user_id", "samples"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    samples: Mapped[int]


class Library(Model):
    """A user's library. Whoever changes its index locks this row first, so that only one does at a time."""

    __tablename__ = "libraries"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)  # raised whenever a row of the index changes


class SampleChange(Model):
    """A change of a sample that the search index has not followed yet. Triggers of the database write it.

    So nobody who writes samples can forget the index, not even a process of the previous version.
    """

    __tablename__ = "sample_changes"
    __table_args__ = (Index("ix_sample_changes_user", "user_id", "number"),)

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    user_id: Mapped[str] = mapped_column(String(26))
    sample_id: Mapped[str] = mapped_column(String(26))
