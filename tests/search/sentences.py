"""Sentences as producers type them, each with all the terms it should be parsed into.

Terms are written as `terms_text` writes them: the field, then the value, with a minus before a negated term.
"""

from __future__ import annotations

from app.search.search_rows import DESCRIPTION_FIELDS
from app.search.sentence_parser import Term

# Written before the words and rules, and not looked at while those were made.
HELD_OUT = {
    "warm rhodes loop 84 bpm in F# minor": "boost warm 1; sound keys; kind loop; bpm 81..87; key F# minor",
    "short punchy snares, no hats": "rank length -1; rank punch 1; sound snare; -sound hi-hat",
    "claps under 500 ms": "sound clap; seconds ..0.5",
    "something dark and noisy between 130 and 140": "rank brightness -1; rank noisiness 1; bpm 130..140",
    "very bright open hats": "rank brightness 2; sound open hat",
    "808s in C": "word 808s; key C major|C minor",
    "vocal chops from this week": "sound vocal-like; word chops; days 7",
    "my favourite bass one-shots": "liked; sound bass; kind one-shot",
    "loops faster than 150": "kind loop; bpm 150..",
    "Eb major pads, long and clean": "key D# major; sound pad; rank length 1; rank noisiness -1",
    'loop "take 3" without vocals': "kind loop; word take 3; -sound vocal-like",
    "jazzy drum break about 92bpm": "boost jazzy 1; break break; bpm 87..97",
    "anything compatible with 5A": "key C minor|D# major|F minor|G minor",
    "4 bar loops at 100 bpm": "bars 4; kind loop; bpm 97..103",
    "a bit brighter than dusty kicks": "rank brightness 0.5; boost dusty 1; sound kick",
    "flac files longer than 10 seconds": "format FLAC; seconds 10..",
    "quiet cymbals not longer than 3s": "rank loudness -1; sound cymbal; seconds ..3",
    "slow sad loops in minor": "bpm ..85; mood sad|melancholic; kind loop; key minor",
    "loud kicks but not noisy": "rank loudness 1; sound kick; rank noisiness -1",
    "140 half time drums": "bpm 67..73; sound drums",
}

SENTENCES = {
    "dusty 90 bpm drum loops in A minor, not too bright": "boost dusty 1; bpm 87..93; sound drums; "
    "kind loop; key A minor; rank brightness -1",
    "around 90 bpm": "bpm 85..95",
    "around 90": "bpm 85..95",
    "80-95": "bpm 80..95",
    "80-95 bpm": "bpm 80..95",
    "between 95 and 80 bpm": "bpm 80..95",
    "half time 140 bpm": "bpm 67..73",
    "faster than 120": "bpm 120..",
    "slower than 92.5 bpm": "bpm ..92.5",
    "slow": "bpm ..85",
    "not too fast": "bpm ..125",
    "exactly 93 bpm": "bpm 92.5..93.5",
    "not faster than 100 bpm": "bpm ..100",
    "-90bpm": "-bpm 87..93",
    "Am": "key A minor",
    "F#m": "key F# minor",
    "F sharp minor": "key F# minor",
    "Db major": "key C# major",
    "8A": "key A minor",
    "compatible with 8A": "key A minor|C major|D minor|E minor",
    "relative of A minor": "key C major",
    "not in C minor": "-key C minor",
    "bd": "sound kick",
    "hh loops": "sound hi-hat; kind loop",
    "hihats and SD one shots": "sound hi-hat; sound snare; kind one-shot",
    "vox -kick": "sound vocal-like; -sound kick",
    "no vocals or pads": "-sound vocal-like; -sound pad",
    "dark": "rank brightness -1",
    "very dark": "rank brightness -2",
    "a bit noisy": "rank noisiness 0.5",
    "not bright": "rank brightness -1",
    "not too loud": "rank loudness -1",
    "punchy short kicks": "rank punch 1; rank length -1; sound kick",
    "under 2 seconds": "seconds ..2",
    "less than 300ms": "seconds ..0.3",
    "longer than 4": "seconds 4..",
    "2 to 4 seconds": "seconds 2..4",
    "under 1,5 sec": "seconds ..1.5",
    "4 bars": "bars 4",
    "8-bar loop": "bars 8; kind loop",
    "liked": "liked",
    "not liked": "-liked",
    "uploaded today": "days 1",
    "last 3 days": "days 3",
    "wav loops without drums": "format WAV; kind loop; -sound drums",
    '"two words" -"three more"': "word two words; -word three more",
    "-snare": "-sound snare",
    "zorblax 808": "word zorblax; word 808",
    "I am looking for a lo-fi beat": "genre lo-fi; sound drums",
    "DUSTY, breaks!": "boost dusty 1; break break",
    "find me something": "",
    "": "",
    # The words of a vibe.
    "melancholic": "mood melancholic",
    "sad piano loops": "mood sad|melancholic; sound keys; kind loop",
    "happy or dreamy": "mood joyful|uplifting|sunny; mood dreamy|ethereal",
    "laid back beats": "mood laid-back; sound drums",
    "drum loops from 85 to 100 bpm": "sound drums; kind loop; bpm 85..100",
    "neither kicks nor snares": "-sound kick; -sound snare",
    "loops with neither key nor tempo": "kind loop; has no key; has no bpm",
    "nor snares": "-sound snare",
    "lacks a key": "has no key",
    "key missing": "has no key",
    "85 bpm to 100 bpm": "bpm 85..100",
    "2 sec to 4 seconds": "seconds 2..4",
    "with tagſ": "has tags",
    "from 85 bpm to 100": "bpm 85..100",
    "90 bpm and 2 seconds": "bpm 87..93; seconds 1.6..2.4",
    "drums from 90s": "sound drums; era 1990s",
    "nothing sad": "-mood sad|melancholic",
    "nothing but drums": "sound drums",
    "everything but drums": "-sound drums",
    "not from this week": "-days 7",
    "kicks that don't have a tempo": "sound kick; has no bpm",
    "not looking for samples": "-word looking",
    "newest": "sort newest",
    "my latest drum loops": "sort newest; sound drums; kind loop",
    "recently added pads, oldest first": "sort newest; sound pad; sort oldest",
    "not recent": "sort oldest",
    "longest kicks, quietest first": "rank length 1; sound kick; rank loudness -1",
    "breakbeats at 170": "break break; bpm 167..173",
    "a breakdown": "word breakdown",
    "no please": "-word please",
    "no key": "has no key",
    "one shots without a tempo": "kind one-shot; has no bpm",
    "no bpm or key": "has no bpm; has no key",
    "no key and no tempo, with tags": "has no key; has no bpm; has tags",
    "fx without key and tempo": "sound fx; has no key; has no bpm",
    "untuned percussion": "has no key; sound percussion",
    "anything with a key": "has key",
    "-tempo": "has no bpm",
    "with a tempo of 90": "bpm 87..93",
    "no key of C": "-key C major|C minor",
    "without the vocals": "-sound vocal-like",
    "without a kick": "-sound kick",
    "not a minor": "-key A minor",
    "bpm: 92": "bpm 89..95",
    "please show me the stuff I added": "",
    "no angry vocals": "-mood angry; sound vocal-like",
    "dark vibe": "mood dark",
    "mood: dark, not too dark": "mood dark; rank brightness 1",
    "chilled lofi": "mood laid-back|mellow; genre lo-fi",
    "boom bap drums from the nineties": "genre boom bap; sound drums; era 1990s",
    "'90s hip-hop": "era 1990s; genre boom bap|trap|lo-fi",
    "1980s synthwave": "era 1980s; genre synthwave",
    "key of C minor": "key C minor",
    "kick or snare": "sound kick; sound snare",
    "80s or 90s": "era 1980s; era 1990s",
    "80s-90s": "era 1980s; era 1990s",
    "kick-snare loop -hat": "sound kick; sound snare; kind loop; -sound hi-hat",
    "shorter than 90s": "seconds ..90",
    "90 s": "seconds 72..108",
    "dnb breaks at 174": "genre drum and bass; break break; bpm 171..177",
    "beats @ 92": "sound drums; bpm 89..95",
    "d&b 174 bpm": "genre drum and bass; bpm 171..177",
    "with strings": "instrument strings",
    "electric piano, no strings": "sound keys; -instrument strings",
    "guitars without drum machine": "instrument guitar; -instrument drum machine",
    "gritty texture": "texture gritty",
    "warm texture, warm mood, warm": "texture warm; mood warm; boost warm 1",
    "drum loop to chop": "use drum loop to chop",
    "transitions": "use transition",
    "a melody": "role melody",
    "not melancholic or sad": "-mood melancholic; -mood sad|melancholic",
    # Words for a character sort.
    "very dusty, a bit crunchy": "boost dusty 2; boost crunchy 0.5",
    "not too dusty": "boost dusty -1",
    "less dusty than that": "boost dusty -1",
    "not dusty": "-boost dusty 1",
    "fat vintage kicks": "boost fat 1; boost vintage 1; sound kick",
    "old-school": "boost old school 1",
    "“two words” don’t": "word two words; word don't",
}


# Written as a producer would type them. They showed gaps in the rules, which were then closed.
TYPED_BY_PRODUCERS = {
    "kicks without a tempo": "sound kick; has no bpm",
    "show me my newest drum breaks": "sort newest; break break",
    "trap hats around 140": "genre trap; sound hi-hat; bpm 135..145",
    "dark pads in F# minor": "rank brightness -1; sound pad; key F# minor",
    "stuff I uploaded today": "days 1",
    "chopped soul vocals": "boost chopped 1; genre soul; sound vocal-like",
    "short snare one shots, no reverb": "rank length -1; sound snare; kind one-shot; -word reverb",
    "lofi piano loops 70-85 bpm": "genre lo-fi; sound keys; kind loop; bpm 70..85",
    "longest pads": "rank length 1; sound pad",
    "anything with no bpm": "has no bpm",
    "only one shots": "kind one-shot",
    "not liked yet": "-liked",
    "basslines that go with 8A": "sound bass; key A minor|C major|D minor|E minor",
    "bass in the key of E flat": "sound bass; key D# major|D# minor",
    "untagged samples": "has no tags",
    "shorter than half a second": "seconds ..0.5",
    "house chords 124bpm Gmin": "genre house; role chord; bpm 121..127; key G minor",
    "boom bap breaks between 85 and 95": "genre boom bap; break break; bpm 85..95",
    "oldest kicks": "sort oldest; sound kick",
    "hard hitting kicks, not too long": "rank punch 1; sound kick; rank length -1",
    "the loudest snares please": "rank loudness 1; sound snare",
    "sounds added this week": "days 7",
    "tonal fx without a key": "rank noisiness -1; sound fx; has no key",
    "vocal chops w/o reverb": "sound vocal-like; word chops; -word reverb",
    "drum loops with no key, 85 to 95 bpm": "sound drums; kind loop; has no key; bpm 85..95",
    "kicks that hit hard": "sound kick; rank punch 1",
    "ambient textures longer than 20 seconds": "genre ambient; kind texture; seconds 20..",
    "mp3s that aren't liked": "format MP3; -liked",
    "120bpm house loops, newest first": "bpm 117..123; genre house; kind loop; sort newest",
    "fast drum breaks 160+": "bpm 125..; break break; bpm 160..",
    "dnb at 170 bpm or faster": "genre drum and bass; bpm 170..",
    "fx of 2 seconds or less": "sound fx; seconds ..2",
    "risers longer than a minute": "riser riser; seconds 60..",
    "anything but vocals": "-sound vocal-like",
}
SENTENCES |= TYPED_BY_PRODUCERS

# Textures, classes of loops, and the finer drums. `riser` finds textures and fx.
KINDS_AND_CLASSES = {
    **dict.fromkeys(
        (
            "textures", "texture", "atmos", "atmosphere", "atmospheres", "ambience", "ambiences", "drone",
            "drones", "foley", "field recording", "field recordings", "noise bed", "noise beds",
            "soundscapes", "soundscape", "beds", "bed",
        ),
        "kind texture",
    ),
    "risers": "riser riser",
    "a riser": "riser riser",
    "sweeps": "riser sweep",
    "downlifters": "riser downlifter",
    "no risers": "-riser riser",
    "no textures": "-kind texture",
    "without drones": "-kind texture",
    "one-shots, not foley": "kind one-shot; -kind texture",
    "textures without drones": "kind texture; -word drone",
    "dark atmos in D minor": "rank brightness -1; kind texture; key D minor",
    "loops, no atmos": "kind loop; -kind texture",
    "risers or kicks": "riser riser; sound kick",
    "gritty textures": "texture gritty",
    "bass loops": "sound bass; kind loop",
    "top loops": "sound percussion; kind loop",
    "tops": "sound percussion",
    "perc loops 120 bpm": "sound percussion; kind loop; bpm 117..123",
    "chord loops in A minor": "sound chords; kind loop; key A minor",
    "melody loops": "sound melody; kind loop",
    "melodic loop": "sound melody; kind loop",
    "melodic loop to layer": "use melodic loop to layer",
    "full loops": "sound full mix; kind loop",
    "full mix": "sound full mix",
    "full mix loops": "sound full mix; kind loop",
    "no top loops": "-sound percussion; kind loop",
    "closed hats": "sound closed hat",
    "closed hi-hats": "sound closed hat",
    "open hats": "sound open hat",
    "no open hats": "-sound open hat",
    "hats": "sound hi-hat",
    "rims": "sound rim",
    "rimshots": "sound rim",
    "shakers": "sound shaker",
}  # fmt: skip
SENTENCES |= KINDS_AND_CLASSES


def terms_text(terms: tuple[Term, ...]) -> str:
    return "; ".join(_term_text(term) for term in terms)


def _term_text(term: Term) -> str:
    minus, value = "-" if term.negated else "", term.value
    if term.field in ("bpm", "seconds"):
        words = "..".join("" if each is None else f"{each:g}" for each in value)
    elif term.field == "has":
        words = value[0] if value[1] else f"no {value[0]}"
    elif term.field in ("rank", "boost"):
        words = f"{value[0]} {value[1]:g}"
    elif term.field == "key":
        words = value[0].split()[1] if len(value) == 12 else "|".join(value)
    elif term.field in DESCRIPTION_FIELDS:
        words = "|".join(value)
    elif term.field == "liked":
        return f"{minus}liked"
    else:
        words = str(value[0])
    return f"{minus}{term.field} {words}"
