"""Words that name a kind or class of sound, in file names and in sentences.

Most words mean the same in both. The other tables hold what only one of the two understands: a word in a
file name settles an unsure measurement, so only clear ones count there, while a search shows what it
understood and can be put right.

A space stands for a space or nothing (`hi hat`, `hihat`); plurals need no entry of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.music.sound_classes import HI_HAT, LOOP, ONE_SHOT, TEXTURE

Words = Mapping[str, tuple[str, ...]]

KIND_WORDS: Words = {
    LOOP: ("loop",),
    ONE_SHOT: ("one shot", "hit", "stab"),
    TEXTURE: (
        "texture", "atmos", "atmosphere", "ambience", "soundscape", "drone", "foley", "field recording",
        "noise bed",
    ),
}  # fmt: skip
# A riser may be a texture or a one-shot of the class "fx": a name says both, and a sentence asks for either.
RISER_WORDS = ("riser", "uplifter", "sweep", "downlifter", "downer")
# In a sentence "beat" asks for drums and "break" for a loop of drums; "groove" and "bar" are no kind.
KIND_WORDS_IN_FILE_NAMES: Words = {LOOP: ("groove", "break", "beat", "bar"), TEXTURE: RISER_WORDS}
# A "bed" in a file name is often music.
KIND_WORDS_IN_SENTENCES: Words = {
    ONE_SHOT: ("single hit",),
    TEXTURE: ("atmo", "ambiance", "bed", "sound bed"),
}

SOUND_WORDS: Words = {
    "kick": ("kick", "bass drum", "bd", "kik"),
    "snare": ("snare", "sd"),
    "rim": ("rim", "rimshot", "side stick"),
    "clap": ("clap",),
    "closed hat": ("closed hat", "closed hi hat", "hat closed", "hi hat closed", "hh closed", "ch"),
    "open hat": ("open hat", "open hi hat", "hat open", "hi hat open", "hh open", "oh"),
    "tom": ("tom",),
    "cymbal": ("cymbal", "crash", "ride", "cym"),
    "shaker": ("shaker", "maraca"),
    "percussion": ("percussion", "perc", "conga", "bongo", "tambourine", "cowbell"),
    "bass": ("bass", "sub"),
    "keys": ("keys", "piano", "rhodes", "organ", "e piano"),
    "lead": ("lead",),
    "pad": ("pad",),
    "vocal-like": ("vocal", "vox", "voice"),
    "fx": ("fx", "sfx"),
    HI_HAT: ("hi hat", "hat", "hh"),
}
# Abbreviations that nobody types into a search, and words that find more there as plain text:
# "808" is a drum machine as well as a bass, "impact" and "clave" stand in tags and descriptions.
SOUND_WORDS_IN_FILE_NAMES: Words = {
    "snare": ("snr",),
    "clap": ("clp",),
    # A "Djembe bass" is a stroke of the hand drum: percussion stands before the bass in this order.
    "percussion": (
        "clave", "djembe", "cajon", "darbuka", "tabla", "timbale", "guiro", "agogo", "wood block",
    ),
    "bass": ("808",),
    "fx": ("impact", *RISER_WORDS),
}  # fmt: skip
# Ways to ask for a sound, which a file name says more shortly or uses for something else ("EP", "snap").
SOUND_WORDS_IN_SENTENCES: Words = {
    "kick": ("kick drum",),
    "snare": ("snare drum",),
    "clap": ("hand clap", "cp", "snap"),
    "tom": ("floor tom",),
    "cymbal": ("splash",),
    "bass": ("bassline", "sub bass"),
    "keys": ("electric piano", "wurlitzer", "wurli", "ep"),
    "lead": ("synth lead",),
    "pad": ("synth pad",),
    "vocal-like": ("acapella", "singing"),
    "fx": ("effect", "sound effect"),
    "drums": ("drum", "drum kit", "beat"),
    "percussion": ("tops",),
    "full mix": ("full mix",),
}
# Words before "loop" that name its class. Alone most of them mean something else: a chord, a melody, a bar.
LOOP_WORDS: Words = {
    "drums": ("drum",),
    "percussion": ("top", "perc", "percussion"),
    "bass": ("bass", "bassline", "bass line"),
    "melody": ("melody", "melodic"),
    "chords": ("chord", "chord progression"),
    "full mix": ("full", "full mix"),
}


def merge_words(*tables: Words) -> dict[str, tuple[str, ...]]:
    """Return one table with the words of all, in the order in which the names first appear."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: tuple(word for table in tables for word in table.get(name, ())) for name in names}


def sound_of_word(word: str) -> str | None:
    """Return the class that one of `SOUND_WORDS` names, with or without its space; None for other words."""
    plain = word.replace(" ", "")
    found = (
        name for name, words in SOUND_WORDS.items() if plain in {each.replace(" ", "") for each in words}
    )
    return next(found, None)
