"""The words a vibe may use. Fixed words can be searched, translated and checked; free text cannot."""

from __future__ import annotations

from app.music.sound_classes import DRUMS, HI_HAT

# Each mood's place: valence (unpleasant to pleasant) and arousal (calm to excited), -10 to 10. The plane and
# the quarters are Russell's circumplex (1980) in the use music psychology makes of it (Eerola and Vuoskoski,
# 2011); the places within a quarter are ours.
MOODS: dict[str, tuple[int, int]] = {
    "euphoric": (9, 8), "triumphant": (8, 9), "joyful": (9, 5), "playful": (7, 4), "uplifting": (8, 3),
    "energetic": (4, 8), "exciting": (6, 7), "driving": (2, 7), "groovy": (5, 5), "funky": (6, 6),
    "confident": (4, 4), "bold": (3, 6), "festive": (8, 7), "quirky": (3, 3), "bouncy": (6, 2),
    "cinematic": (1, 4), "epic": (3, 9), "heroic": (5, 9), "urgent": (-2, 8), "restless": (-3, 5),
    "aggressive": (-6, 9), "angry": (-8, 8), "chaotic": (-4, 9), "menacing": (-7, 5), "tense": (-5, 6),
    "anxious": (-7, 6), "ominous": (-7, 2), "gritty": (-3, 3), "raw": (-1, 6), "industrial": (-5, 4),
    "suspenseful": (-4, 2), "eerie": (-6, -1), "mysterious": (-3, -1), "dark": (-6, 0),
    "brooding": (-5, -3), "moody": (-4, -2), "melancholic": (-6, -5), "sad": (-8, -5), "lonely": (-7, -6),
    "gloomy": (-8, -4), "bleak": (-9, -7), "somber": (-6, -7), "cold": (-4, -4), "wistful": (-2, -5),
    "nostalgic": (0, -3), "introspective": (-1, -6), "meditative": (2, -8), "ethereal": (2, -5),
    "dreamy": (3, -4), "hypnotic": (0, 0), "spacious": (1, -6), "sleepy": (1, -9), "peaceful": (6, -8),
    "serene": (7, -7), "tender": (5, -6), "romantic": (6, -3), "mellow": (4, -3), "warm": (5, -1),
    "laid-back": (5, -5), "soulful": (3, -1), "hopeful": (6, 0), "sunny": (8, 1),
}  # fmt: skip

# Words for how a hit sounds, and for how a texture does. Their bounds are in `character.BOUNDS`.
HIT_CHARACTERS = (
    "punchy", "snappy", "swelling", "crisp", "dull", "boomy", "thin", "gritty", "noisy", "clean", "ringing",
    "short", "long", "tuned",
)  # fmt: skip
TEXTURE_CHARACTERS = (
    "steady", "rising", "falling", "moving", "swelling", "bright", "dull", "boomy", "thin", "gritty", "noisy",
    "clean", "tuned",
)  # fmt: skip
CHARACTERS = tuple(dict.fromkeys((*HIT_CHARACTERS, *TEXTURE_CHARACTERS)))

TEXTURES = (
    "smooth", "warm", "clear", "airy", "crisp", "snappy", "punchy", "gritty", "harsh", "lush", "hollow",
    "dense",
)  # fmt: skip
ERAS = ("any", "1960s", "1970s", "1980s", "1990s", "2000s", "2010s", "2020s")
GENRES = (
    "ambient", "boom bap", "lo-fi", "trap", "drill", "house", "techno", "trance", "drum and bass",
    "dubstep", "garage", "electro", "synthwave", "disco", "funk", "soul", "jazz", "r&b", "reggae", "dub",
    "rock", "metal", "pop", "folk", "classical", "cinematic", "latin", "afrobeat", "experimental",
)  # fmt: skip
INSTRUMENTS = (
    *DRUMS, HI_HAT, "drum kit", "drum machine", "bass", "sub bass", "piano", "electric piano", "organ",
    "synth lead", "synth pad", "strings", "brass", "woodwind", "guitar", "electric guitar", "bells",
    "mallets", "voice", "choir", "noise", "effect",
)  # fmt: skip
USES = (
    "hit to play", "note to tune and play", "chord to play", "drum loop to chop", "melodic loop to layer",
    "bed to hold", "source to sample from", "transition",
)  # fmt: skip
ROLES = (
    "kick", "snare", "clap", "hi-hat", "percussion", "bass", "melody", "chord", "loop", "texture",
    "vocal", "fx",
)  # fmt: skip

# The axes by which the library can be sorted, with the word for either end.
AXIS_ENDS = {
    "brightness": ("brightest", "darkest"),
    "noisiness": ("noisiest", "cleanest"),
    "loudness": ("loudest", "quietest"),
    "punch": ("punchiest", "softest"),
    "energy": ("most energetic", "calmest"),
    "length": ("longest", "shortest"),
}

# The measured features that a claim may rest on.
FEATURES = (
    "tempo", "key", "loudness", "course", "brightness", "noisiness", "attack", "decay", "crest", "spectrum",
    "chroma", "kind", "sound", "duration", "onsets",
)  # fmt: skip
