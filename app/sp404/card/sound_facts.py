"""What is measured in a rendered sound before it goes on a card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SoundFacts:
    """What was measured in a sound of 16 bits. Full scale is 1.

    Attributes
    ----------
    peak : float
        The largest magnitude.
    offset : float
        The mean of the channel whose mean is farthest from 0.
    clipped_runs : int
        How often three or more samples in a row stand at the same end of the scale.
    sides_db : float or None
        Energy of the difference of both channels in dB below that of their sum; None for mono.
    padding : int
        Frames of silence that rendering added because the sound was too short.
    """

    peak: float
    offset: float = 0.0
    clipped_runs: int = 0
    sides_db: float | None = None
    padding: int = 0
