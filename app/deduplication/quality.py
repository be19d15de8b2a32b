"""Decide which copy of a recording is the best, and say in plain words why, and how the others differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LOSSLESS = frozenset({"WAV", "AIFF", "FLAC"})
UNCOMPRESSED = frozenset({"WAV", "AIFF"})
DEPTHS = (32, 24, 16, 8)
UNKNOWN_DEPTH = 24  # of a FLAC: a copy of unknown depth is not given up for one of 16 bits
# Encoders and leads add some silence, which makes a copy no better.
LENGTH_TOLERANCE, LENGTH_SLACK_S = 0.1, 0.06
MIN_LEVEL_DB = 1.0


@dataclass(frozen=True, slots=True)
class Copy:
    """The facts by which the best file of a recording is chosen."""

    sample_id: str
    format: str
    size_bytes: int
    duration_s: float
    sample_rate: int
    channels: int
    bit_depth: int | None  # None where nobody reported it, and for lossy formats
    audio_sha256: str | None
    loudness_db: float | None
    liked: bool
    is_corrected: bool
    is_tagged: bool

    @property
    def is_lossless(self) -> bool:
        return self.format in LOSSLESS

    @property
    def depth(self) -> int:
        """Return the bits of a sample; as far as the size tells where nobody reported it, 0 if lossy."""
        if not self.is_lossless:
            return 0
        if self.bit_depth is not None:
            return self.bit_depth
        if self.format not in UNCOMPRESSED:
            return UNKNOWN_DEPTH
        values = max(self.duration_s * self.sample_rate * self.channels, 1)
        return next((depth for depth in DEPTHS if self.size_bytes * 8 / values >= depth), DEPTHS[-1])

    def has_audio_of(self, other: Copy) -> bool:
        """Return whether both hold the same samples, bit by bit."""
        return self.audio_sha256 is not None and self.audio_sha256 == other.audio_sha256


def choose_best(copies: Sequence[Copy]) -> Copy:
    """Return the copy to keep: the best audio, then the one that most work went into, then the oldest.

    Complete copies come first: what is cut off is in no other file, however good that one is.
    """
    depths, longest_s = _audio_depths(copies), max(copy.duration_s for copy in copies)
    oldest_first = sorted(copies, key=lambda copy: copy.sample_id)
    return max(
        oldest_first,
        key=lambda copy: (
            not _is_cut(copy, longest_s),
            copy.is_lossless,
            copy.sample_rate * depths[copy.sample_id],
            copy.channels,
            work_rank(copy),
        ),
    )


def work_rank(copy: Copy) -> tuple[bool, ...]:
    """Return what a user has done with a sample, the most important first, to compare it with another."""
    return copy.is_corrected, copy.liked, copy.is_tagged


def why_kept(kept: Copy, others: Sequence[Copy], is_chosen: bool) -> str:
    """Say why this copy is the one to keep: "24-bit, stereo", "corrected by you", "uploaded first"."""
    if is_chosen:
        return "chosen by you"
    return ", ".join(_merits(kept, others)) or _work(kept, others) or _age(kept, others)


def what_differs(copy: Copy, kept: Copy) -> str:
    """Say how a copy differs from the one that is kept: "same audio", "MP3, mono, 0.8 s shorter"."""
    if copy.has_audio_of(kept):
        return "same audio" if copy.format == kept.format else f"same audio, as {copy.format}"
    words = [copy.format] if copy.format != kept.format else []
    words += _audio_differences(copy, kept)
    return ", ".join(words) or "same recording"


def _audio_differences(copy: Copy, kept: Copy) -> Iterable[str]:
    if copy.is_lossless and kept.is_lossless and copy.depth != kept.depth:
        yield f"{copy.depth}-bit"
    if copy.sample_rate != kept.sample_rate:
        yield _rate(copy)
    if copy.channels != kept.channels:
        yield _channels(copy)
    longer_s = copy.duration_s - kept.duration_s
    if abs(longer_s) > min(LENGTH_SLACK_S, LENGTH_TOLERANCE * kept.duration_s):
        yield f"{abs(longer_s):.2g} s {'longer' if longer_s > 0 else 'shorter'}"
    if copy.loudness_db is not None and kept.loudness_db is not None:
        louder_db = copy.loudness_db - kept.loudness_db
        if abs(louder_db) >= MIN_LEVEL_DB:
            yield f"{abs(louder_db):.0f} dB {'louder' if louder_db > 0 else 'quieter'}"


def _merits(kept: Copy, others: Sequence[Copy]) -> Iterable[str]:
    """Yield in what the audio of the one that is kept is better than that of some other."""
    different = [copy for copy in others if not copy.has_audio_of(kept)]
    if any(_is_cut(copy, kept.duration_s) for copy in different):
        yield "complete"
    if kept.is_lossless and any(not copy.is_lossless for copy in different):
        yield "lossless"
    if any(copy.is_lossless and copy.depth < kept.depth for copy in different):
        yield f"{kept.depth}-bit"
    if any(copy.sample_rate < kept.sample_rate for copy in different):
        yield _rate(kept)
    if any(copy.channels < kept.channels for copy in different):
        yield _channels(kept)


def _work(kept: Copy, others: Sequence[Copy]) -> str:
    ranks = [work_rank(copy) for copy in others]
    for place, word in enumerate(("corrected by you", "liked", "tagged")):
        if work_rank(kept)[place] and not all(rank[place] for rank in ranks):
            return word
    return ""


def _age(kept: Copy, others: Sequence[Copy]) -> str:
    return "uploaded first" if all(kept.sample_id < copy.sample_id for copy in others) else "as good as any"


def _audio_depths(copies: Iterable[Copy]) -> dict[str, int]:
    """Return the depth of the audio of each copy: 16-bit audio stored in 24 bits is 16-bit audio."""
    least: dict[str, int] = {}
    for copy in copies:
        audio = copy.audio_sha256 or copy.sample_id
        least[audio] = min(least.get(audio, copy.depth), copy.depth)
    return {copy.sample_id: least[copy.audio_sha256 or copy.sample_id] for copy in copies}


def _is_cut(copy: Copy, longest_s: float) -> bool:
    return longest_s - copy.duration_s > max(LENGTH_TOLERANCE * longest_s, LENGTH_SLACK_S)


def _rate(copy: Copy) -> str:
    return f"{copy.sample_rate / 1000:g} kHz"


def _channels(copy: Copy) -> str:
    return {1: "mono", 2: "stereo"}.get(copy.channels, f"{copy.channels} channels")
