"""The addresses that are measured, and in plain Python what each of them should find."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from app.music.musical_keys import ALL_KEYS
from app.music.sound_classes import KINDS, SOUNDS
from benchmarks.library_scale.samples import Row

PAGE_SIZE = 50
DEEP = 0.7  # a deep page starts after this share of what a search finds
DRUMS = frozenset({
    "kick", "snare", "rim", "clap", "closed hat", "open hat", "tom", "cymbal", "shaker", "percussion",
    "hi-hat", "drums",
})  # fmt: skip
AROUND_A_MINOR = ("A minor", "C major", "D minor", "E minor")
LIKE_DUSTY = (" dusty ", " lofi ", " lo fi ", " vinyl ")
UNKNOWN_BPM = 1e6  # after every tempo
AFTER_ALL_KEYS = "z"
KEYS = ["", *sorted(ALL_KEYS)]
CLASSES = sorted((kind, sound) for kind in KINDS for sound in ("", *SOUNDS))
Matches = Callable[[Row], bool]
Order = Callable[[Row], float | str]


def _all(_: Row) -> bool:
    return True


@dataclass(frozen=True)
class Search:
    """A search: its arguments in the address, the rows it finds, and their order before the newest first."""

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    matches: Matches = _all
    order: Order | None = None
    oldest_first: bool = False

    def address(self, after: str = "") -> str:
        """Return the address of the page that continues after a sample, or of the first one."""
        # Without an order of its own an address would list in the order that was chosen last.
        arguments = {"sort": ""} | self.arguments | ({"after": after} if after else {})
        return f"/samples?{urlencode(arguments)}"

    def find(self, rows: Iterable[Row]) -> list[str]:
        """Return the ids of all rows it should find, in order; `rows` are the newest first."""
        found = [row for row in rows if self.matches(row)]
        if self.oldest_first:
            found.reverse()
        if self.order is not None:
            found.sort(key=self.order)  # stable: of equal ones the newest stays first
        return [row.id for row in found]


@dataclass(frozen=True)
class Page:
    """One address, and the ids of the samples it should list.

    With `others`, one of them is drawn for each request, and the address itself is only read to see its rows.
    """

    name: str
    address: str
    sample_ids: list[str]
    total: int | None  # None where the page says no number
    others: Sequence[str] = ()


def expected_pages(rows: Iterable[Row], searches: Sequence[Search]) -> list[Page]:
    """Return the first and a deep page of each search of a library, given in the order of uploading."""
    newest = [row for row in rows if row.deleted_at is None][::-1]
    pages = []
    for search in searches:
        found = search.find(newest)
        pages.append(Page(search.name, search.address(), found[:PAGE_SIZE], len(found)))
        last = int(len(found) * DEEP)
        if last:
            rest = found[last : last + PAGE_SIZE]
            address = search.address(after=found[last - 1])
            pages.append(Page(f"{search.name}, deep", address, rest, len(found)))
    return pages


def _has_class_of(row: Row, classes: frozenset[str], word: str) -> bool:
    return row.measured.sound in classes or word in row.search_text


def _words(text: str) -> str:
    """Return a text as its words, each between two blanks."""
    return f" {re.sub(r'[^a-z0-9]+', ' ', text.casefold()).strip()} "


def _named(row: Row, sentence: str) -> float:
    """Return a score far above all others for a name with the sentence in it."""
    return 1000.0 if f" {sentence}" in _words(row.name) else 0.0


def _is_kick(row: Row) -> bool:
    return row.measured.sound == "kick" or "kick" in row.name.casefold() or "kick" in row.tags


def _dust(row: Row) -> float:
    words = _words(row.search_text)
    return -(float(any(each in words for each in LIKE_DUSTY)) + _named(row, "dusty kick"))


def _has(row: Row, *words: str) -> float:
    return float(any(word in row.measured.character for word in words))


def _brightness(row: Row) -> float:
    ends = _has(row, "crisp", "bright") - _has(row, "dull")
    return row.measured.brightness / 100 / 2 + 0.25 + ends / 4


def _shortness(row: Row) -> float:
    length = row.duration_s / (row.duration_s + 10.0)
    return -(length / 2 + 0.25 + (_has(row, "long") - _has(row, "short")) / 4)


def _class(row: Row) -> tuple[str, str]:
    return row.measured.kind, row.measured.sound or ""


def _bpm(row: Row) -> float:
    return UNKNOWN_BPM if row.bpm is None else row.bpm


def _in_tempo(row: Row, low: float, high: float) -> bool:
    return row.bpm is not None and low <= row.bpm <= high


FIRST_PAGE = Search("list")
SORTS = (
    Search("sort oldest", {"sort": "oldest"}, oldest_first=True),
    Search("sort name", {"sort": "name"}, order=lambda row: row.name.lower()),
    Search("sort bpm", {"sort": "bpm"}, order=_bpm),
    Search("sort length", {"sort": "length"}, order=lambda row: row.duration_s),
    Search("sort key", {"sort": "key"}, order=lambda row: row.measured.key or AFTER_ALL_KEYS),
    Search("sort kind", {"sort": "kind"}, order=lambda row: CLASSES.index(_class(row))),
    Search("sort bpm, fastest", {"sort": "-bpm"}, order=lambda row: -(row.bpm or 0.0)),
    Search("sort length, longest", {"sort": "-length"}, order=lambda row: -row.duration_s),
    Search("sort key, backwards", {"sort": "-key"}, order=lambda row: -KEYS.index(row.measured.key or "")),
    Search("sort kind, backwards", {"sort": "-kind"}, order=lambda row: -CLASSES.index(_class(row))),
)
FILTERS = (
    Search("kind", {"kind": "loop"}, lambda row: row.measured.kind == "loop"),
    Search("sound", {"sound": "kick"}, lambda row: row.measured.sound == "kick"),
    Search("family of sounds", {"sound": "drums"}, lambda row: row.measured.sound in DRUMS),
    Search("key", {"key": "A minor"}, lambda row: row.measured.key == "A minor"),
    Search(
        "key with compatible", {"key": "A minor", "compatible": "1"},
        lambda row: row.measured.key in AROUND_A_MINOR,
    ),
    Search("tempo", {"bpm_min": "87", "bpm_max": "93"}, lambda row: _in_tempo(row, 87, 93)),
    Search("tag", {"tag": "drums"}, lambda row: "drums" in row.tags),
    Search("rare tag", {"tag": "pack-0000"}, lambda row: "pack-0000" in row.tags),
    Search("liked", {"liked": "1"}, lambda row: row.liked),
    Search("text", {"q": "dusty"}, lambda row: "dusty" in row.search_text),
    Search("part of a word", {"q": "am"}, lambda row: "am" in row.search_text),
    Search(
        "text, one left out", {"q": "crate -loop"},
        lambda row: "crate" in row.search_text and "loop" not in row.search_text,
    ),
    Search(
        "kind, key, sort bpm", {"kind": "loop", "key": "C minor", "sort": "bpm"},
        lambda row: row.measured.kind == "loop" and row.measured.key == "C minor", _bpm,
    ),
    Search(
        "sound, sort name", {"sound": "snare", "sort": "name"},
        lambda row: row.measured.sound == "snare", lambda row: row.name.lower(),
    ),
)  # fmt: skip
SENTENCES = (
    Search(
        "sentence: figures", {"ask": "90 bpm loops in A minor"},
        lambda row: row.measured.kind == "loop" and row.measured.key == "A minor" and _in_tempo(row, 87, 93),
    ),
    Search(
        "sentence: a name", {"ask": "amen"}, lambda row: "amen" in row.search_text,
        lambda row: -_named(row, "amen"),
    ),
    Search("sentence: a boost", {"ask": "dusty kick"}, _is_kick, _dust),
    Search(
        "sentence: an axis", {"ask": "darkest loops"}, lambda row: row.measured.kind == "loop", _brightness
    ),
    Search(
        "sentence: a length", {"ask": "longest one-shots"}, lambda row: row.measured.kind == "one-shot",
        _shortness,
    ),
    Search(
        "sentence: a family", {"ask": "drum loops around 120 bpm"},
        lambda row: row.measured.kind == "loop" and _in_tempo(row, 115, 125)
        and _has_class_of(row, DRUMS, "drum"),
        lambda row: row.measured.sound not in DRUMS,  # what was measured so comes before what is called so
    ),
    Search("sentence: nothing found", {"ask": "zzyzx kick"}, lambda row: "zzyzx" in row.search_text),
)  # fmt: skip
SEARCHES = (FIRST_PAGE, *SORTS, *FILTERS, *SENTENCES)
