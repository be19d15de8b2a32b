"""Measure how near duplicates are found: `python -m benchmarks.near_duplicates`.

Each sound is treated in seven ways. A copy is found when its original is among the candidates by fingerprint
and the samples confirm it. False alarms are counted on pairs of one instrument: other velocities and takes.
The candidates among other hits of one kind tell how many confirmations a new sample costs in a large library.
Fails when fewer than 99 % of a treatment are found or more than 1 in 1,000 pairs is a false alarm.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, islice
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from app.audio.similarity.alignment import find_shift, shared_part, shifted_spectra
from app.audio.similarity.duplicates import is_same_recording, likely_duplicates
from app.audio.similarity.fingerprint import copy_fingerprint
from app.audio.similarity.layout import FINGERPRINT_LENGTH
from benchmarks.alike.copies import (
    RATE_HZ,
    Sound,
    Source,
    is_tuned,
    layer_pairs,
    load,
    sound_sources,
    treatments,
)
from benchmarks.alike.kits import KitHit, kit_hits
from benchmarks.tables import Table, add_document_option, show_tables

MIN_FOUND_PERCENT, MAX_FALSE_IN_1000 = 99.0, 1.0
LIBRARY = 10_000
# Layers of some kits are one recording with another gain: after the best gain this much or less is left.
COPY_RESIDUAL_DB = -40.0

_SILENCE = 1e-3  # of the peak
_REACH_S = 0.12

Answer = tuple[str, bool, bool, float]
"""A treatment, whether the copy is a candidate and confirmed, and the CPU time of that in seconds."""
Treated = tuple[bool, list[Answer]]
"""Whether the thresholds are tuned on a sound, and its copies."""
Layers = tuple[bool, bool, bool, bool]
"""Of two layers: are they tuned on, candidates, confirmed, and candidates that are copies?"""


def main() -> int:
    """Print the tables; return 1 when too few are found or too many alarms are false."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    add_document_option(parser)
    options = parser.parse_args()
    sources, pairs, hits = sound_sources(), layer_pairs(), kit_hits()
    with Pool(options.jobs) as pool:
        answers = pool.imap(_treat_sound, sources, chunksize=4)
        treated = list(islice((rows for rows in answers if rows), options.sounds))
        layers = [pair for pair in pool.imap_unordered(_compare_layers, pairs, chunksize=8) if pair]
        prints = pool.map(_layer_fingerprint, [hit.path for hit in hits], chunksize=8)
    by_kind = _candidates_by_kind(hits, np.array(prints))
    show_tables([_found_table(treated), _alarm_table(layers), _cost_table(by_kind)], options.document)
    least = min(_found_percent(copies) for copies in _by_treatment(treated).values())
    return int(least < MIN_FOUND_PERCENT or _alarms_in_1000(layers) > MAX_FALSE_IN_1000)


def _fingerprint(y: Sound) -> np.ndarray:
    """Return the fingerprint of a sound that is not silent."""
    level = np.abs(y).max(axis=1)
    return np.array(copy_fingerprint(y, RATE_HZ, float(np.argmax(level > _SILENCE * level.max())) / RATE_HZ))


def _treat_sound(source: Source) -> Treated | None:
    """Return the answer to each treatment of a sound; None when it is silent, very short or long."""
    y = load(source)
    if y is None:
        return None
    original, rows = _fingerprint(y), []
    for name, z in treatments(y):
        start = time.process_time()
        same = is_same_recording(y, z, RATE_HZ)
        taken_s = time.process_time() - start
        rows.append((name, likely_duplicates(_fingerprint(z), original).size > 0, same, taken_s))
    return is_tuned(source.group), rows


def _compare_layers(pair: tuple[Path, Path]) -> Layers | None:
    """Compare two layers; None when one is silent, very short or long."""
    (a, first), (b, second) = map(_load_layer, pair)
    if a is None or b is None:
        return None
    near = likely_duplicates(first, second).size > 0
    tuned = is_tuned(str(pair[0].parent))
    return tuned, near, near and is_same_recording(a, b, RATE_HZ), near and _is_copy(a, b)


@lru_cache(maxsize=50)
def _load_layer(path: Path) -> tuple[Sound | None, np.ndarray]:
    y = load(path)
    return y, np.zeros(FINGERPRINT_LENGTH, int) if y is None else _fingerprint(y)


def _layer_fingerprint(path: Path) -> np.ndarray:
    return _load_layer(path)[1]


def _is_copy(a: Sound, b: Sound) -> bool:
    """Return whether one sound is the other with a gain and a shift, but for `COPY_RESIDUAL_DB`.

    They are compared as a whole, and as far as the shorter one goes.
    """
    x, y = (z.mean(axis=1).astype(np.float64) for z in (a, b))
    size = 2 * max(x.size, y.size)
    lagged = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)
    whole = float(np.abs(lagged).max()) / (np.linalg.norm(x) * np.linalg.norm(y) + 1e-12)
    shift = find_shift(x, y, int(_REACH_S * RATE_HZ))
    first, second = shifted_spectra(*shared_part(x, y, shift), shift)
    part = np.abs(np.vdot(first, second).real) / (np.linalg.norm(first) * np.linalg.norm(second) + 1e-12)
    return bool(1 - max(whole, part) ** 2 < 10 ** (COPY_RESIDUAL_DB / 10))


def _candidates_by_kind(hits: Sequence[KitHit], prints: np.ndarray) -> dict[str, list[bool]]:
    """Return by kind, for each pair of hits of unrelated kits, whether they are needless candidates."""
    found: dict[str, list[bool]] = {}
    families = _kit_families(hits)
    for i, j in combinations(range(len(hits)), 2):
        if hits[i].label == hits[j].label and families[hits[i].kit] != families[hits[j].kit]:
            near = likely_duplicates(prints[i], prints[j]).size > 0
            near = near and not is_same_recording(load(hits[i].path), load(hits[j].path), RATE_HZ)
            found.setdefault(hits[i].label, []).append(near)
    return dict(sorted(found.items()))


def _kit_families(hits: Sequence[KitHit]) -> dict[str, str]:
    """Return the first of the kits that share a file with each kit."""
    kits_by_digest: dict[str, set[str]] = {}
    for hit in hits:
        kits_by_digest.setdefault(hit.digest, set()).add(hit.kit)
    related = [kits for kits in kits_by_digest.values() if len(kits) > 1]
    return {hit.kit: min({hit.kit}.union(*(kits for kits in related if hit.kit in kits))) for hit in hits}


def _by_treatment(treated: Sequence[Treated]) -> dict[str, list[tuple[bool, bool, bool, float]]]:
    """Return of each treatment, for each sound: is it tuned on, a candidate, confirmed, and the time."""
    found: dict[str, list[tuple[bool, bool, bool, float]]] = {}
    for tuned, rows in treated:
        for name, near, same, taken_s in rows:
            found.setdefault(name, []).append((tuned, near, same, taken_s))
    return found


def _found_percent(answers: Sequence[tuple[bool, bool, bool, float]]) -> float:
    """Return the share of copies that are candidates and confirmed."""
    return 100 * float(np.mean([near and same for _, near, same, _ in answers]))


def _alarms_in_1000(pairs: Sequence[Layers]) -> float:
    """Return how many of 1,000 pairs of other recordings are taken for copies."""
    return 1000 * float(np.mean([alarm for _, _, alarm, copy in pairs if not copy]))


def _found_table(treated: Sequence[Treated]) -> Table:
    """Return how many copies of each treatment are found, of all and of the sounds held out."""
    rows = []
    for name, answers in _by_treatment(treated).items():
        candidates, confirmed = (100 * float(np.mean([a[at] for a in answers])) for at in (1, 2))
        unseen = [a for a in answers if not a[0]]
        taken_ms = 1000 * float(np.median([a[3] for a in answers]))
        rows.append(
            (name, candidates, confirmed, _found_percent(answers), _found_percent(unseen), f"{taken_ms:.0f}")
        )
    unseen_count = sum(not tuned for tuned, _ in treated)
    header = (
        "candidates %",
        "confirmed %",
        "found %",
        f"found % of {unseen_count} held out",
        "ms to confirm",
    )
    return Table("near duplicates", (f"{len(treated)} sounds", *header), rows)


def _alarm_table(pairs: Sequence[Layers]) -> Table:
    """Return how often other hits of one instrument are taken for copies."""
    rows = []
    for name, chosen in (("all", pairs), ("held out", [pair for pair in pairs if not pair[0]])):
        other = [pair for pair in chosen if not pair[3]]
        counts = (len(chosen), len(chosen) - len(other), len(other), sum(p[1] for p in other))
        rows.append((name, *counts, sum(p[2] for p in other), _alarms_in_1000(chosen)))
    header = ("pairs of one instrument", "copies with another gain", "other recordings", "candidates")
    return Table("false alarms", ("", *header, "false alarms", "in 1,000"), rows)


def _cost_table(by_kind: dict[str, list[bool]]) -> Table:
    """Return how many needless candidates a new sample has in a library of hits of one kind."""
    everything = {**by_kind, "all": [near for pairs in by_kind.values() for near in pairs]}
    rows = [
        (kind, len(pairs), sum(pairs), LIBRARY * float(np.mean(pairs))) for kind, pairs in everything.items()
    ]
    header = ("pairs of unrelated kits", "needless candidates", f"in a library of {LIBRARY:,}")
    return Table("candidates", ("kind", *header), rows)


if __name__ == "__main__":
    sys.exit(main())
