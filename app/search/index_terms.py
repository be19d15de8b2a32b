"""The terms a sample is found by in the inverted index, and the terms a search looks up there. Pure.

An inverted index answers one question fast: which samples have all of these terms? It may name too many,
never too few: each condition is checked again on the sample's row. So a search means the same on both
databases, however their indexes work.

A term is stored as a hash of 11 hexadecimal digits that begins with its owner's, so that the size of one
library means nothing to the searches of another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from zlib import crc32

from app.models.punctuation import blank_punctuation
from app.models.sample_places import fold_name

Group = frozenset[str]
"""Terms of which a sample has at least one."""

# The texts of a sample that have terms: everything written about it, its name, the sentence that describes it
TEXT, NAME, DESCRIPTION = "", "n", "d"
GRAM = 3  # letters of the longest part of a word that is a term
NO_BLANK = "\N{NO-BREAK SPACE}"
MAX_TEMPO_BUCKETS = 16
MAX_BARS = 99


def hash_terms(user_id: str, terms: Iterable[str]) -> str:
    """Return terms as the index stores them, separated by blanks: an owner's, so that nobody else's match."""
    owner = f"{crc32(user_id.encode()) & 0xFFFF:04x}"
    return " ".join(sorted({f"{owner}{crc32(term.encode()) >> 4:07x}" for term in terms}))


def split_words(text: str) -> list[str]:
    """Return the words of a folded text, without punctuation."""
    return (blank_punctuation(text) or "").split()


def frame_words(text: str) -> str:
    """Return the words of a folded text in a frame of blanks, so that ` kick ` is a whole word of them."""
    return f" {' '.join(split_words(text))} "


def trait(field: str, value: object) -> str:
    """Return a value of a sample as one word, such as `mood:dark`."""
    return f"{field}:{value}".replace(" ", NO_BLANK)


def frame_traits(traits: Iterable[str]) -> str:
    """Return traits in a frame of blanks, like words."""
    return f" {' '.join(dict.fromkeys(traits))} "


def values_of(field: str, framed: str) -> list[str]:
    """Return the values of one field from framed traits."""
    return [
        each.removeprefix(f"{field}:").replace(NO_BLANK, " ")
        for each in framed.split(" ")
        if each.startswith(f"{field}:")
    ]


def place_trait(collection_id: str, folder: str) -> tuple[str, str]:
    """Return the field and the value by which the samples of a folder are found, or of a whole collection.

    Folders are found whatever their case.
    """
    return ("folder", f"{collection_id}/{fold_name(folder)}") if folder else ("collection", collection_id)


def word_term(word: str, where: str = TEXT) -> str:
    """Return the term of a whole word in a text of a sample."""
    return f"{where}w{word}"


def trait_term(trait: str) -> str:
    return f"t{trait}"


def terms_of_words(words: Iterable[str], where: str = TEXT) -> set[str]:
    """Return the terms by which whole words and their parts are found."""
    sizes = range(1 if where == TEXT else GRAM, GRAM + 1)
    terms: set[str] = set()
    for word in set(words):
        terms.add(word_term(word, where))
        terms |= {f"{where}g{gram}" for size in sizes for gram in _grams(word, size)}
    return terms


def groups_of_part(text: str, where: str = TEXT) -> tuple[Group, ...]:
    """Return what a sample has that contains a folded text. In names, one and two letters have no terms."""
    grams = [gram for run in split_words(text) for gram in _grams(run, min(len(run), GRAM))]
    found = (gram for gram in dict.fromkeys(grams) if where == TEXT or len(gram) == GRAM)
    return tuple(frozenset({f"{where}g{gram}"}) for gram in found)


def _grams(word: str, size: int) -> list[str]:
    return [word[at : at + size] for at in range(len(word) - size + 1)]


def tempo_traits(bpm: float | None, duration_s: float, tolerance: float) -> list[str]:
    """Return the whole number below a tempo as a trait, and each number of bars that the sound may have."""
    if not bpm:
        return []
    bars = duration_s * bpm / 240
    low, high = math.ceil(bars / (1 + tolerance)), math.floor(bars / (1 - tolerance))
    return [
        trait("bpm", int(bpm)),
        *(trait("bars", count) for count in range(max(low, 1), min(high, MAX_BARS) + 1)),
    ]


def groups_of_tempo(low: float, high: float | None) -> tuple[Group, ...]:
    """Return what a sample has whose tempo is in a range; nothing for a wide one, which names too many."""
    if high is None or not 0 <= high - low < MAX_TEMPO_BUCKETS:
        return ()
    buckets = range(int(low), int(high) + 1)
    return (frozenset(trait_term(trait("bpm", each)) for each in buckets),)
