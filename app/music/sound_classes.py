"""The kinds and classes of sound. They live outside the engine because the web process reads them too."""

from __future__ import annotations

LOOP, ONE_SHOT, TEXTURE = "loop", "one-shot", "texture"
KINDS = (LOOP, ONE_SHOT, TEXTURE)
DRUMS = (
    "kick", "snare", "rim", "clap", "closed hat", "open hat", "tom", "cymbal", "shaker", "percussion",
)  # fmt: skip
TONES = ("bass", "keys", "lead", "pad", "vocal-like", "fx")
ONE_SHOT_SOUNDS = (*DRUMS, *TONES)
LOOP_SOUNDS = ("drums", "percussion", "bass", "melody", "chords", "full mix")
"""Classes of a loop; "percussion" is a top or percussion loop."""

SOUNDS = tuple(dict.fromkeys((*ONE_SHOT_SOUNDS, *LOOP_SOUNDS)))
HI_HAT = "hi-hat"
"""A hat that may be open or closed: older engines and many file names say no more."""

STORED_SOUNDS = (*SOUNDS, HI_HAT)
"""Every class that a sample may have."""

SOUND_FAMILIES = {
    "drums": (*DRUMS, HI_HAT, "drums"),
    HI_HAT: ("closed hat", "open hat", HI_HAT),
}
"""Names that a search may ask for, each with the classes it finds. A name may be a class too."""

SEARCHABLE_SOUNDS = tuple(dict.fromkeys((*SOUNDS, *SOUND_FAMILIES)))
_COLOURS = {"kick": "kick", "snare": "snare", "rim": "snare", "clap": "snare"} | dict.fromkeys(
    SOUND_FAMILIES[HI_HAT], "hat"
)
_LOOP_LABELS = {"drums": "drum", "percussion": "perc", "chords": "chord"}
_SOUNDS_OF_KIND = {LOOP: LOOP_SOUNDS, ONE_SHOT: ONE_SHOT_SOUNDS}


def sounds_of_kind(kind: str) -> tuple[str, ...]:
    """Return the classes that a sound of this kind may have.

    Parameters
    ----------
    kind : str
        One of `KINDS`.

    Returns
    -------
    tuple of str
        In the order of `SOUNDS`; empty for a texture, which has no class.
    """
    return _SOUNDS_OF_KIND.get(kind, ())


def fits_kind(sound: str, kind: str) -> bool:
    """Return whether a sound of this kind may have a class.

    Parameters
    ----------
    sound : str
        One of `STORED_SOUNDS`; "hi-hat" is a class of one-shots.
    kind : str
        One of `KINDS`.
    """
    return sound in sounds_of_kind(kind) or (sound == HI_HAT and kind == ONE_SHOT)


def sound_label(kind: str, sound: str | None) -> str:
    """Return what to call a sound in a list, such as "open hat", "bass loop" or "texture".

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    sound : str or None
        Its class, if it has one.
    """
    if sound is None:
        return kind
    return f"{_LOOP_LABELS.get(sound, sound)} loop" if kind == LOOP else sound


def sounds_named(name: str) -> tuple[str, ...]:
    """Return the classes that a name finds in a search.

    Parameters
    ----------
    name : str
        A class or one of `SOUND_FAMILIES`; any other name stands for itself.
    """
    return SOUND_FAMILIES.get(name, (name,))


def sound_colour(kind: str, sound: str | None) -> str:
    """Return the name of the colour that a sound has on pads, in lists and on cards.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    sound : str or None
        Its class, if it has one.

    Returns
    -------
    str
        "kick", "snare", "hat", "perc", "tone", "loop", "texture", or "plain" for a one-shot without a class.
    """
    if kind in (LOOP, TEXTURE):
        return kind
    if sound is None:
        return "plain"
    return _COLOURS.get(sound, "perc" if sound in DRUMS else "tone")
