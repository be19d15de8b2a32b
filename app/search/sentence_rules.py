"""The rules of step 2: patterns for figures with units, keys and phrases, each with what a match means."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.music import musical_keys, sound_words
from app.music.pitch_names import pitch_name
from app.search import synonyms
from app.search.lexicon import DECADE_PHRASES, PHRASES, FieldValue, similar_words, strip_separators

Range = tuple[float | None, float | None]  # None for an open end

MIN_BPM, MAX_BPM = 40.0, 250.0
NEAR_TOLERANCE_BPM, AROUND_TOLERANCE_BPM, EXACT_TOLERANCE_BPM = 3.0, 5.0, 0.5
LENGTH_TOLERANCE = 0.2  # relative
MAX_LENGTH_S = 600.0
TIME_FACTORS = {"halftime": 0.5, "doubletime": 2.0}
UPPER_BOUND_WORDS = {"under", "below", "max", "<", "<=", "upto", "atmost", "nomorethan"}
UPPER_BOUND_WORDS |= {"lessthan", "slowerthan", "shorterthan"}
FILLER_WORDS = frozenset(synonyms.FILLER_WORDS.split())
SKIPPED_WORDS = frozenset(synonyms.SKIPPED_WORDS.split())
UPWARD_WORDS = {"+", "up", "more", "over", "above", "faster", "longer"}
LENGTH_COMPARISONS = {"longerthan", "shorterthan"}
# Words before a tempo that mean it closely, unlike "around".
AT_WORDS = {"", "at", "@", "tempo", "tempoof", "bpm", "bpmof"}


def _loop_class(match: re.Match[str]) -> FieldValue | None:
    """Return the class of a loop, as in `top loops`; the word "loop" itself is left for the next term."""
    return "sound", (LOOP_CLASSES[strip_separators(match[0])],)


def _quoted_text(match: re.Match[str]) -> FieldValue | None:
    """Search text in quotation marks as it is."""
    return "word", (match[1].casefold(),)


def _named_key(match: re.Match[str]) -> FieldValue | None:
    """Return a key given by name or Camelot code, or the keys that are compatible with it."""
    if match["hour"]:
        name = musical_keys.key_of_camelot(match["hour"])
    else:
        mode = musical_keys.parse_mode(match["mode"])
        name = f"{_pitch_name(match)} {mode}"
    how = strip_separators(match["how"])
    if how.startswith("relative"):
        return "key", (musical_keys.relative_key(name),)
    return "key", tuple(sorted(musical_keys.compatible_keys(name))) if how else (name,)


def _any_key_of_mode(match: re.Match[str]) -> FieldValue | None:
    """Return all keys of a mode: `in a minor key` names no tonic, unlike `in A minor`."""
    return "key", tuple(sorted(musical_keys.keys_of_mode(match["mode"].lower())))


def _any_key_on_tonic(match: re.Match[str]) -> FieldValue | None:
    """Return both keys on a tonic: `in C` says neither major nor minor."""
    pitch = _pitch_name(match)
    return "key", tuple(sorted(f"{pitch} {mode}" for mode in musical_keys.MODES))


def _pitch_name(match: re.Match[str]) -> str:
    return pitch_name(match["note"], match["sign"] or match["sign2"] or "")


def _two_sided_range(match: re.Match[str]) -> FieldValue | None:
    """Return a range with both ends: `80-95 bpm`, `from 2 to 4 seconds`, `85 bpm to 100 bpm`.

    None for two figures of different units: `90 bpm and 2 seconds` is no range.
    """
    its, unit = ((match[name] or "bpm").lower() for name in ("its", "unit"))
    if match["its"] and (
        (its == "bpm") != (unit == "bpm") or _seconds_per_unit(its) != _seconds_per_unit(unit)
    ):
        return None
    low, high = sorted((_parse_figure(match["low"]), _parse_figure(match["high"])))
    return _range_by_unit(match, (low, high))


def _one_sided_range(match: re.Match[str]) -> FieldValue | None:
    """Return a range from a comparison: `faster than 120`, `under 2 seconds`, `at most 90 bpm`."""
    figure, how = _parse_figure(match["low"]), strip_separators(match["how"])
    value: Range = (None, figure) if how in UPPER_BOUND_WORDS else (figure, None)
    if how in LENGTH_COMPARISONS and not match["unit"]:
        return "seconds", value
    return _range_by_unit(match, value)


def _open_ended_range(match: re.Match[str]) -> FieldValue | None:
    """Return a range from a figure and a direction: `160+`, `120 bpm or slower`."""
    figure, way = _parse_figure(match["low"]), match["way"].casefold().split()[-1]
    return _range_by_unit(match, (figure, None) if way in UPWARD_WORDS else (None, figure))


def _single_figure(match: re.Match[str]) -> FieldValue | None:
    """Return a range around one figure, a tempo or a length.

    None for a figure that can be neither: `808` alone, or `808s`, which is no length.
    """
    figure, how = _parse_figure(match["low"]), strip_separators(match["how"])
    if match["unit"] and match["unit"].lower() != "bpm":
        figure *= _seconds_per_unit(match["unit"].lower())
        if figure > MAX_LENGTH_S:
            return None
        return "seconds", (
            round(figure * (1 - LENGTH_TOLERANCE), 3),
            round(figure * (1 + LENGTH_TOLERANCE), 3),
        )
    time = strip_separators(match["before"] or match["after"])
    if not (match["unit"] or how or time) or not MIN_BPM / 2 <= figure <= MAX_BPM * 2:
        return None
    figure *= TIME_FACTORS.get(time, 1.0)
    tolerance = _tempo_tolerance(how)
    return "bpm", (figure - tolerance, figure + tolerance)


def _tempo_tolerance(how: str) -> float:
    """Return how far from a tempo still counts, in BPM, by the words before it."""
    if how.startswith("exact"):
        return EXACT_TOLERANCE_BPM
    return NEAR_TOLERANCE_BPM if how in AT_WORDS else AROUND_TOLERANCE_BPM


def _has_property(match: re.Match[str]) -> FieldValue | None:
    return "has", (synonyms.PROPERTIES[match["what"].casefold()], True)


def _bar_count(match: re.Match[str]) -> FieldValue | None:
    return "bars", (int(match[1]),)


def _recent_days(match: re.Match[str]) -> FieldValue | None:
    return "days", (int(match[1]) * {"d": 1, "w": 7, "m": 31}[match[2][0].lower()],)


def _range_by_unit(match: re.Match[str], value: Range) -> FieldValue | None:
    """Return a range as a length or a tempo, by its unit; without a unit, only plausible tempos count."""
    unit = (match["unit"] or "").lower()
    if unit and unit != "bpm":
        low, high = (None if each is None else round(each * _seconds_per_unit(unit), 3) for each in value)
        return "seconds", (low, high)
    plausible = all(each is None or MIN_BPM <= each <= MAX_BPM for each in value)
    return ("bpm", value) if plausible or unit else None


def _seconds_per_unit(unit: str) -> float:
    """Return how many seconds a unit has: `ms`, `s`, `secs`, `minutes`."""
    return 0.001 if unit.startswith(("ms", "mil")) else 60.0 if unit.startswith("m") else 1.0


def _parse_figure(text: str) -> float:
    """Return a figure as typed, with a point or a comma; `a` is one and `half a` a half."""
    if not text[0].isdigit():
        return 0.5 if text.lower().startswith("half") else 1.0
    return float(text.replace(",", "."))


def search_word(text: str, refused: bool = False) -> FieldValue | None:
    """Return a word as a term to search for; None for words that ask for nothing.

    A filler word is searched when a `not` refuses it: in `no please`, "please" is meant.
    """
    word = text.casefold()
    if not any(letter.isalnum() for letter in word) or word in SKIPPED_WORDS:
        return None
    if refused and word in synonyms.PROPERTIES:
        return "has", (synonyms.PROPERTIES[word], True)
    if word in FILLER_WORDS and not refused:
        return None
    singular = word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word
    return "word", (word, *sorted({*similar_words(singular)} - {word}))


LOOP_CLASSES = {
    strip_separators(word): sound for sound, words in sound_words.LOOP_WORDS.items() for word in words
}
LOOP_WORDS = "|".join(
    word.replace(" ", r"[\s-]?")
    for word in sorted(sum(sound_words.LOOP_WORDS.values(), ()), key=len, reverse=True)
)
NUMBER = r"\d{1,4}(?:[.,]\d{1,3})?"
LOW, HIGH = rf"(?P<low>{NUMBER})", rf"(?P<high>{NUMBER})"
UNITS = r"(?:bpm|msecs?|ms|milliseconds?|seconds?|secs?|s|minutes?|mins?)(?!\w)"
UNIT = rf"(?:\s*-?\s*(?P<unit>{UNITS}))?"
ONE_OF_A_UNIT = r"(?:half )?an?(?=\s+(?:sec|min))"
OPEN_END = r"(?:up|more|over|above|faster|longer|less|under|below|slower|shorter)"
ACCIDENTAL = r"(?:[\s-]?(?P<sign>sharp|flat)|(?P<sign2>[#b♯♭]))?"
MODE_WORDS = "|".join(word for words in musical_keys.MODE_WORDS.values() for word in words)
NAMED_KEY = rf"(?P<note>[A-G]){ACCIDENTAL}[\s-]?(?P<mode>{MODE_WORDS})|(?P<hour>(?:1[0-2]|[1-9])[AB])"
BOUND_PREFIX = (
    r"(?P<how>(?:faster|slower|longer|shorter|less|more) than|over|above|under|below|from|at least|at most"
    r"|up to|no more than|max|min|[<>]=?)"
)
NEAR_PREFIX = (
    r"(?P<how>around|about|roughly|approx\.?|circa|ca\.?|near|exactly|at|@|~|(?:tempo|bpm)(?:\s+of)?:?)"
)
HALF_OR_DOUBLE_TIME = r"half[\s-]?time|double[\s-]?time"
COMPATIBLE_WITH = (
    r"(?P<how>compatible (?:with|to)|(?:go(?:es)?|mix(?:es)?|works?|fits?) with|relative (?:of|to)|around)"
)
PROPERTY = rf"(?P<what>{'|'.join(synonyms.PROPERTIES)})\b(?!\s+(?:of|at)\b|[\s:=]*\d)"  # but not `tempo 90`
WORD_END = r"(?![\w#♯♭])"

# Tried in this order at each place of a sentence. A figure's unit, or the word before it, decides its field.
SENTENCE_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], FieldValue | None]]] = [
    (re.compile(pattern, re.I), make)
    for pattern, make in (
        (r'"([^"\0]+)"', _quoted_text),
        (r"(?:in )?(?-i:a) (?P<mode>minor|major) key\b", _any_key_of_mode),
        (
            rf"(?<!\bi )(?:{COMPATIBLE_WITH}\s+)?(?:in )?(?:(?:the )?key of )?(?:{NAMED_KEY}){WORD_END}",
            _named_key,
        ),
        (rf"(?:in(?: the key of)?|key of)\s+(?-i:(?P<note>[A-G])){ACCIDENTAL}{WORD_END}", _any_key_on_tonic),
        (DECADE_PHRASES.pattern.pattern, DECADE_PHRASES.get),
        (
            rf"(?:(?:between|from)\s+)?{LOW}(?:\s*(?P<its>{UNITS}))?\s*(?:-|–|to|and|\.\.)\s*{HIGH}{UNIT}{WORD_END}",
            _two_sided_range,
        ),
        (rf"(?:with|has|have|having)\s+(?:an?\s+)?{PROPERTY}", _has_property),
        (r"(\d{1,2})[\s-]?bars?\b", _bar_count),
        (r"(?:last|past|since)\s+(\d{1,3})\s+(days?|weeks?|months?)\b", _recent_days),
        (
            rf"(?!from\s+\d0s\b){BOUND_PREFIX}\s*(?P<low>{NUMBER}|{ONE_OF_A_UNIT}){UNIT}{WORD_END}",
            _one_sided_range,
        ),
        (rf"(?:at )?{LOW}\s*(?P<way>\+){UNIT}{WORD_END}", _open_ended_range),
        (rf"(?:at )?{LOW}{UNIT}(?P<way>\+|\s+(?:and|or)\s+{OPEN_END}){WORD_END}", _open_ended_range),
        (
            rf"(?:{NEAR_PREFIX}\s*)?(?:(?P<before>{HALF_OR_DOUBLE_TIME})\s+)?{LOW}{UNIT}(?:\s+(?P<after>{HALF_OR_DOUBLE_TIME}))?{WORD_END}",
            _single_figure,
        ),
        (rf"(?:{LOOP_WORDS})(?=[\s-]?loops?\b(?!\s+to\b))", _loop_class),
        (PHRASES.pattern.pattern, PHRASES.get),
    )
]
