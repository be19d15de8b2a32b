"""Facts about an audio file that its samples do not tell, such as its name and its format."""

from __future__ import annotations

from dataclasses import dataclass

from app.audio.acid_chunk import StatedTempo
from app.audio.decoding.mp3_frames import EncoderPadding


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Facts about a file, from its name, its header and its decoding, for the analysis of its samples.

    Attributes
    ----------
    name
        What it was uploaded under; it may state tempo, key and kind.
    format
        Such as "WAV"; None for samples that come from no file.
    digest
        From `decode_file`; it is computed when there is none.
    warnings
        Sentences for the owner of the file.
    padding
        Silence that an MP3 encoder added at either end, when the file does not say how much.
    bit_depth
        Of the samples in the file; None for lossy formats.
    stated_tempo
        The tempo and the beats that a WAV states.
    """

    name: str = ""
    format: str | None = None
    digest: str | None = None
    warnings: tuple[str, ...] = ()
    padding: EncoderPadding | None = None
    bit_depth: int | None = None
    stated_tempo: StatedTempo | None = None


NO_FACTS = FileFacts()
