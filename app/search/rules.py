"""The rules a sentence is read by: figures with their units, keys, and the words of the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.music import keys
from app.search import synonyms
from app.search.lexicon import DECADES, WORDS, Found, alike, squash

Range = tuple[float | None, float | None]

LEAST_BPM, MOST_BPM = 40.0, 250.0
NEAR_BPM, AROUND_BPM, EXACT_BPM = 3.0, 5.0, 0.5
AROUND_LENGTH = 0.2
MOST_S = 600.0
FACTORS = {"halftime": 0.5, "doubletime": 2.0}
SHARPER = {"#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
BELOW = {
    "under",
    "below",
    "slowerthan",
    "shorterthan",
    "lessthan",
    "atmost",
    "upto",
    "<",
    "<=",
    "max",
    "nomorethan",
}
FILLERS = frozenset(synonyms.FILLERS.split())
PASSED_OVER = frozenset(synonyms.PASSED_OVER.split())
UPWARD = {"+", "up", "more", "over", "above", "faster", "longer"}
LENGTHS = {"longerthan", "shorterthan"}
AT = {"", "at", "@", "tempo", "tempoof", "bpm", "bpmof"}


def _quoted(match: re.Match[str]) -> Found | None:
    return "word", (match[1].casefold(),)


def _key(match: re.Match[str]) -> Found | None:
    """A key by name or by its hour on the wheel, and whom it goes with."""
    if match["hour"]:
        name = next(k for k in keys.ALL_KEYS if keys.camelot(k) == match["hour"].upper())
    else:
        mode = "minor" if match["mode"] == "m" or match["mode"].lower().startswith("mi") else "major"
        name = f"{_pitch(match['note'], match['sign'] or match['sign2'])} {mode}"
    how = squash(match["how"])
    if how.startswith("relative"):
        return "key", (next(k for k in keys.compatible(name) if k != name and _hour(k) == _hour(name)),)
    return "key", tuple(sorted(keys.compatible(name))) if how else (name,)


def _mode(match: re.Match[str]) -> Found | None:
    """`in a minor key` has no tonic; `in A minor` has one."""
    return "key", tuple(sorted(key for key in keys.ALL_KEYS if key.endswith(match["mode"].lower())))


def _tonic(match: re.Match[str]) -> Found | None:
    """`in C` leaves open whether major or minor."""
    pitch = _pitch(match["note"], match["sign"] or match["sign2"])
    return "key", tuple(sorted(f"{pitch} {mode}" for mode in keys.MODES))


def _pitch(note: str, sign: str | None) -> str:
    step = SHARPER.get((sign or "").lower(), 0)
    return keys.PITCHES[(keys.PITCHES.index(note.upper()) + step) % 12]


def _hour(key: str) -> str:
    return keys.camelot(key)[:-1]


def _between(match: re.Match[str]) -> Found | None:
    """`80-95 bpm`, `from 2 to 4 seconds`, `85 bpm to 100 bpm`; but `90 bpm and 2 seconds` is no range."""
    its, unit = ((match[name] or "bpm").lower() for name in ("its", "unit"))
    if match["its"] and ((its == "bpm") != (unit == "bpm") or _seconds(its) != _seconds(unit)):
        return None
    low, high = sorted((_figure(match["low"]), _figure(match["high"])))
    return _ranged(match, (low, high))


def _bound(match: re.Match[str]) -> Found | None:
    """`faster than 120`, `under 2 seconds`, `at most 90 bpm`."""
    figure, how = _figure(match["low"]), squash(match["how"])
    value: Range = (None, figure) if how in BELOW else (figure, None)
    if how in LENGTHS and not match["unit"]:
        return "seconds", value
    return _ranged(match, value)


def _onward(match: re.Match[str]) -> Found | None:
    """`160+`, `120 bpm or slower`."""
    figure, way = _figure(match["low"]), match["way"].casefold().split()[-1]
    return _ranged(match, (figure, None) if way in UPWARD else (None, figure))


def _about(match: re.Match[str]) -> Found | None:
    """One figure: a tempo with some room on either side, or a length."""
    figure, how = _figure(match["low"]), squash(match["how"])
    if match["unit"] and match["unit"].lower() != "bpm":
        figure *= _seconds(match["unit"].lower())
        if figure > MOST_S:
            return None  # 808s and 909s are no lengths
        return "seconds", (round(figure * (1 - AROUND_LENGTH), 3), round(figure * (1 + AROUND_LENGTH), 3))
    time = squash(match["before"] or match["after"])
    if not (match["unit"] or how or time) or not LEAST_BPM / 2 <= figure <= MOST_BPM * 2:
        return None
    figure *= FACTORS.get(time, 1.0)
    room = EXACT_BPM if how.startswith("exact") else AROUND_BPM if how not in AT else NEAR_BPM
    return "bpm", (figure - room, figure + room)


def _having(match: re.Match[str]) -> Found | None:
    return "has", (synonyms.HAD[match["what"].casefold()], True)


def _bars(match: re.Match[str]) -> Found | None:
    return "bars", (int(match[1]),)


def _past(match: re.Match[str]) -> Found | None:
    return "days", (int(match[1]) * {"d": 1, "w": 7, "m": 31}[match[2][0].lower()],)


def _ranged(match: re.Match[str], value: Range) -> Found | None:
    """A length by its unit; without one, only what can be a tempo is one."""
    unit = (match["unit"] or "").lower()
    if unit and unit != "bpm":
        low, high = (None if each is None else round(each * _seconds(unit), 3) for each in value)
        return "seconds", (low, high)
    plausible = all(each is None or LEAST_BPM <= each <= MOST_BPM for each in value)
    return ("bpm", value) if plausible or unit else None


def _seconds(unit: str) -> float:
    """What one of a unit is: `ms`, `s`, `secs`, `minutes`."""
    return 0.001 if unit.startswith(("ms", "mil")) else 60.0 if unit.startswith("m") else 1.0


def _figure(text: str) -> float:
    if not text[0].isdigit():
        return 0.5 if text.lower().startswith("half") else 1.0
    return float(text.replace(",", "."))


def plain_word(text: str, refused: bool = False) -> Found | None:
    """A word to search for. What is said but not asked for is one too when it is what a `not` denies."""
    word = text.casefold()
    if not any(letter.isalnum() for letter in word) or word in PASSED_OVER:
        return None
    if refused and word in synonyms.HAD:
        return "has", (synonyms.HAD[word], True)
    if word in FILLERS and not refused:
        return None
    singular = word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word
    return "word", (word, *sorted({*alike(singular)} - {word}))


NUMBER = r"\d{1,4}(?:[.,]\d{1,3})?"
LOW, HIGH = rf"(?P<low>{NUMBER})", rf"(?P<high>{NUMBER})"
UNITS = r"(?:bpm|msecs?|ms|milliseconds?|seconds?|secs?|s|minutes?|mins?)(?!\w)"
UNIT = rf"(?:\s*-?\s*(?P<unit>{UNITS}))?"
A_UNIT = r"(?:half )?an?(?=\s+(?:sec|min))"
OPEN_END = r"(?:up|more|over|above|faster|longer|less|under|below|slower|shorter)"
SIGN = r"(?:[\s-]?(?P<sign>sharp|flat)|(?P<sign2>[#b♯♭]))?"
NAMED_KEY = rf"(?P<note>[A-G]){SIGN}[\s-]?(?P<mode>minor|major|min|maj|m)|(?P<hour>(?:1[0-2]|[1-9])[AB])"
BOUND = (
    r"(?P<how>(?:faster|slower|longer|shorter|less|more) than|over|above|under|below|from|at least|at most"
    r"|up to|no more than|max|min|[<>]=?)"
)
NEAR = r"(?P<how>around|about|roughly|approx\.?|circa|ca\.?|near|exactly|at|@|~|(?:tempo|bpm)(?:\s+of)?:?)"
TIME = r"half[\s-]?time|double[\s-]?time"
PARTNER = (
    r"(?P<how>compatible (?:with|to)|(?:go(?:es)?|mix(?:es)?|works?|fits?) with|relative (?:of|to)|around)"
)
HAD = rf"(?P<what>{'|'.join(synonyms.HAD)})\b(?!\s+(?:of|at)\b|[\s:=]*\d)"  # itself, not `tempo 90`
END = r"(?![\w#♯♭])"

# Tried in this order; what a figure belongs to is said by its unit or by the word before it.
RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Found | None]]] = [
    (re.compile(pattern, re.I), make)
    for pattern, make in (
        (r'"([^"\0]+)"', _quoted),
        (r"(?:in )?(?-i:a) (?P<mode>minor|major) key\b", _mode),
        (rf"(?<!\bi )(?:{PARTNER}\s+)?(?:in )?(?:(?:the )?key of )?(?:{NAMED_KEY}){END}", _key),
        (rf"(?:in(?: the key of)?|key of)\s+(?-i:(?P<note>[A-G])){SIGN}{END}", _tonic),
        (DECADES.pattern.pattern, DECADES.get),
        (
            rf"(?:(?:between|from)\s+)?{LOW}(?:\s*(?P<its>{UNITS}))?\s*(?:-|–|to|and|\.\.)\s*{HIGH}{UNIT}{END}",
            _between,
        ),
        (rf"(?:with|has|have|having)\s+(?:an?\s+)?{HAD}", _having),
        (r"(\d{1,2})[\s-]?bars?\b", _bars),
        (r"(?:last|past|since)\s+(\d{1,3})\s+(days?|weeks?|months?)\b", _past),
        (rf"(?!from\s+\d0s\b){BOUND}\s*(?P<low>{NUMBER}|{A_UNIT}){UNIT}{END}", _bound),
        (rf"(?:at )?{LOW}\s*(?P<way>\+){UNIT}{END}", _onward),
        (rf"(?:at )?{LOW}{UNIT}(?P<way>\+|\s+(?:and|or)\s+{OPEN_END}){END}", _onward),
        (rf"(?:{NEAR}\s*)?(?:(?P<before>{TIME})\s+)?{LOW}{UNIT}(?:\s+(?P<after>{TIME}))?{END}", _about),
        (WORDS.pattern.pattern, WORDS.get),
    )
]
