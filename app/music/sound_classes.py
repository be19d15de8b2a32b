"""The kinds and classes of sound. They live outside the engine because the web process reads them too."""

from __future__ import annotations

LOOP, ONE_SHOT = "loop", "one-shot"
KINDS = (LOOP, ONE_SHOT)
DRUMS = ("kick", "snare", "clap", "hi-hat", "tom", "cymbal", "percussion")
TONES = ("bass", "keys", "lead", "pad", "vocal-like", "fx")
SOUNDS = (*DRUMS, *TONES)
"""Classes of a one-shot. The order is that of the classifiers' outputs and must not change."""

SOUND_FAMILIES = {"drums": DRUMS}
"""Names for several classes at once: a search may ask for one, a sound has only one of `SOUNDS`."""
