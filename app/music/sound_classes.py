"""The kinds and classes of sound. They live outside the engine because the web process reads them too."""

from __future__ import annotations

LOOP, ONE_SHOT, TEXTURE = "loop", "one-shot", "texture"
KINDS = (LOOP, ONE_SHOT, TEXTURE)
DRUMS = (
    "kick",
    "snare",
    "rim",
    "clap",
    "closed hat",
    "open hat",
    "tom",
    "cymbal",
    "shaker",
    "percussion",
)
TONES = ("bass", "keys", "lead", "pad", "vocal-like", "fx")
ONE_SHOT_SOUNDS = (*DRUMS, *TONES)
LOOP_SOUNDS = ("drums", "percussion", "bass", "melody", "chords", "full mix")
SOUNDS = tuple(dict.fromkeys((*ONE_SHOT_SOUNDS, *LOOP_SOUNDS)))
"""Classes of a one-shot or a loop; each tuple is in the order of a classifier's outputs."""

SOUND_FAMILIES = {"drums": DRUMS}
"""Names for several classes at once: a search may ask for one, a sound has only one of `SOUNDS`."""


def sounds_of_kind(kind: str) -> tuple[str, ...]:
    """Return the classes that a sound of a kind may have; a texture has none.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    """
    return {LOOP: LOOP_SOUNDS, ONE_SHOT: ONE_SHOT_SOUNDS}.get(kind, ())
