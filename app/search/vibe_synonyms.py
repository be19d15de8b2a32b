"""Synonyms for the fixed words of a vibe, and words for a sound's character that no vocabulary has.

A word of the vocabulary needs no entry to mean itself: the entries are other spellings and close meanings.
"""

from __future__ import annotations

from app.vibe import vocabulary

# The fields of a vibe that a sentence can ask for, and their words.
VIBE_FIELDS = {
    "mood": tuple(vocabulary.MOODS),
    "character": vocabulary.CHARACTERS,
    "texture": vocabulary.TEXTURES,
    "genre": vocabulary.GENRES,
    "instrument": vocabulary.INSTRUMENTS,
    "use": vocabulary.USES,
    "role": vocabulary.ROLES,
}
SYNONYMS: dict[str, dict[tuple[str, ...], str]] = {
    "mood": {
        ("sad", "melancholic"): "sad, depressing, heartbroken",
        ("melancholic",): "melancholy",
        ("joyful", "uplifting", "sunny"): "happy, cheerful, feel good",
        ("aggressive", "angry"): "aggressive, furious",
        ("dreamy", "ethereal"): "dreamy, dreamlike",
        ("laid-back", "mellow"): "chill, chilled, chilled out, easy going",
        ("peaceful", "serene"): "peaceful, soothing, tranquil",
        ("eerie", "ominous"): "creepy, spooky, scary, haunting, haunted",
        ("ominous", "menacing"): "sinister, evil, threatening",
        ("nostalgic", "wistful"): "nostalgic",
        ("introspective",): "pensive, thoughtful",
        ("romantic", "tender"): "romantic, sensual, sexy",
        ("hypnotic",): "trippy, mesmerising, mesmerizing",
        ("somber",): "sombre",
        ("spacious",): "wide, open sounding",
    },
    "character": {},
    "texture": {},
    "genre": {
        ("boom bap", "trap", "lo-fi"): "hip hop, rap",
        ("boom bap",): "boom bap, boombap, golden age",
        ("lo-fi",): "lofi hip hop, chillhop",
        ("drum and bass",): "dnb, d&b, drum & bass, drum n bass, drum'n'bass, jungle",
        ("garage",): "ukg, uk garage, two step",
        ("house",): "deep house, tech house",
        ("r&b",): "rnb, r and b",
        ("synthwave",): "retrowave",
        ("afrobeat",): "afrobeats",
        ("classical",): "orchestral",
    },
    "instrument": {
        ("strings",): "string, string section",
        ("brass",): "horn, horn section",
        ("guitar",): "gtr, acoustic guitar",
        ("electric guitar",): "e guitar",
        ("bells",): "bell, chime",
        ("mallets",): "mallet",
        ("noise",): "white noise, pink noise",
    },
    "use": {
        ("drum loop to chop",): "to chop, for chopping, to chop up",
        ("melodic loop to layer",): "melodic loop, to layer, for layering",
        ("source to sample from",): "to sample from, for sampling",
    },
    "role": {("melody",): "melodies"},
}
# The nouns that may follow a mood, as in `dark vibe`; other fields are followed by their own name.
FIELD_ALIASES = {"mood": ("mood", "vibe", "feel", "feeling")}
# Alone, these words sort: only `gritty texture` and `short character` mean the word of the vocabulary.
NEED_FIELD_NAME = ("texture", "character")

DECADE_SPELLINGS = {
    "1960s": "1960s, 1960's, 60s, 60's, '60s, sixties",
    "1970s": "1970s, 1970's, 70s, 70's, '70s, seventies",
    "1980s": "1980s, 1980's, 80s, 80's, '80s, eighties",
    "1990s": "1990s, 1990's, 90s, 90's, '90s, nineties",
    "2000s": "2000s, 2000's, 00s, 00's, '00s, noughties",
    "2010s": "2010s, 2010's",
    "2020s": "2020s, 2020's",
}

# Words for a character. They boost the samples that are named or described so and leave none out.
CHARACTER_WORDS = (
    "dusty, crunchy, crackly, crispy, fat, phat, thick, thin, vintage, retro, old school, analog, "
    "analogue, digital, warm, gritty, dirty, filthy, grimy, rough, cinematic, saturated, distorted, "
    "overdriven, compressed, bitcrushed, tape, vinyl, wet, dry, roomy, reverberant, tight, loose, deep, "
    "heavy, big, huge, massive, round, glassy, metallic, wooden, woody, organic, electronic, acoustic, "
    "jazzy, bluesy, swinging, swung, syncopated, percussive, melodic, rolling, wobbly, detuned, filtered, "
    "glitchy, chopped, reversed, stuttering, washed out, buzzy, boomy, subby, plucky, ringing, sustained, "
    "muddy, silky, sharp, nasty, weird, beautiful, catchy, simple, minimal, complex, "
) + ", ".join((*vocabulary.CHARACTERS, *vocabulary.TEXTURES))
