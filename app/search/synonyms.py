"""The words producers use, and what each of them means in the library.

A space or hyphen in an entry matches a space, a hyphen, a colon or nothing. Plurals need no entry.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.music import sound_words
from app.music.sound_classes import SOUND_FAMILIES


def _comma_separated(tables: Iterable[sound_words.Words]) -> dict[str, str]:
    return {name: ", ".join(words) for name, words in sound_words.merge_words(*tables).items()}


KINDS = _comma_separated((sound_words.KIND_WORDS, sound_words.KIND_WORDS_IN_SENTENCES))
SOUNDS = _comma_separated((sound_words.SOUND_WORDS, sound_words.SOUND_WORDS_IN_SENTENCES))
FAMILIES = SOUND_FAMILIES
RISER_PHRASES = ", ".join(sound_words.RISER_WORDS)
# A drum loop, or anything with "break" in its text.
BREAK_PHRASES = "break, drum break, breakbeat, break beat, drum break loop, break loop, breakbeat loop"
FORMAT_PHRASES = {
    "WAV": "wav, wave",
    "AIFF": "aiff, aif",
    "FLAC": "flac",
    "MP3": "mp3",
    "M4A": "m4a, aac",
    "OGG": "ogg, vorbis",
}
# The words that ask for each end of a measured axis: 1 is the high end, -1 the low end.
RANK_PHRASES = {
    ("brightness", 1): "bright, brighter, brightest, crisp, shiny, sparkly",
    ("brightness", -1): "dark, darker, darkest, dull, muffled",
    ("noisiness", 1): "noisy, noisier, noisiest, hissy",
    ("noisiness", -1): "clean, cleaner, cleanest, tonal, pure",
    ("loudness", 1): "loud, louder, loudest",
    ("loudness", -1): "quiet, quieter, quietest",
    ("punch", 1): "punchy, punchier, punchiest, snappy, hard, hard hitting, hit hard",
    ("punch", -1): "soft, softer, softest, gentle",
    ("length", 1): "long, longer, longest",
    ("length", -1): "short, shorter, shortest",
    ("energy", 1): "energetic, more energetic, lively",
    ("energy", -1): "calm, calmer, relaxed",
}
TEMPO_PHRASES = {
    (None, 85.0): "slow, slower, slow tempo, downtempo",
    (85.0, 125.0): "mid tempo, medium tempo",
    (125.0, None): "fast, faster, fast tempo, uptempo",
}
DAY_PHRASES = {
    1: "today",
    2: "yesterday, since yesterday",
    7: "this week, last week, past week",
    31: "this month, last month, past month",
}
# The words that ask for an order by date, under the name that order has in the library.
SORT_PHRASES = {
    "newest": "newest, newest first, latest, latest first, most recent, recent, recently",
    "oldest": "oldest, oldest first, earliest",
}
LIKED_PHRASES = "liked, favourite, favorite, fave, starred, loved, i like, i love"
MODE_PHRASES = {"minor": "minor, minor key", "major": "major, major key"}
# Groups of words that are searched together: each finds the others.
SIMILAR_WORDS = (
    "dusty, lofi, lo-fi, vinyl",
    "gritty, dirty, grimy",
    "warm, mellow",
    "fat, phat, thick",
    "vintage, retro, old school",
    "analog, analogue",
    "jazzy, jazz",
    "distorted, overdriven, distortion",
    "glitchy, glitch",
)
# What a sample may have or lack, by the word that follows `with`, `has` or `no`, and single phrases for it.
PROPERTIES = {"key": "key", "bpm": "bpm", "tempo": "bpm", "tag": "tags", "tags": "tags"}
PROPERTY_PHRASES = {
    ("key", True): "tuned",
    ("key", False): "untuned, unpitched, atonal, keyless, unknown key, key unknown, missing key, key missing",
    ("bpm", False): "unknown tempo, unknown bpm, tempo unknown, bpm unknown, missing tempo, tempo missing",
    ("tags", True): "tagged",
    ("tags", False): "untagged",
}
# Words that ask for nothing. A `not` before them negates the word after them.
SKIPPED_WORDS = (
    "a an the any my of with for in on at from to by as is are be was were has have had got want need using"
)
# Words that ask for nothing, unless a `not` stands before them: then they are searched.
FILLER_WORDS = (
    "and but or nor it its this that which those these than me i you am we mine there nothing find give "
    "get show list search see hear play please pls thanks some something anything everything all just only "
    "also really around about made like looking sound sounds sample samples file files audio stuff thing "
    "things upload uploads uploaded add added import imported bpm key tempo vibe vibes feel feeling mood "
    "style kind kinds sort sorted type yet first"
)
