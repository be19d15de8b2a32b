"""Which moods and characters the rules give: `python -m benchmarks.moods --corpus FOLDER`.

Half of the sources of the corpus fix the confidence that a mood needs; the other half checks it. Fails when a
mood describes too many loops there, or a word of the character describes nobody or everybody.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.audio.analyzer import analyze_sound
from app.audio.result import Analysis
from app.vibe import moods
from app.vibe.character import character_words
from app.vibe.vocabulary import HIT_CHARACTERS
from training.corpus import load_audio, load_index
from training.installed_sounds import RATE

MAX_SHARE = 0.15  # of loops, on the half that was not used
STEPS = [round(0.05 * n, 2) for n in range(1, 20)]
LOOPS = {"productions": 200, "mma": 200, "openttd": 96, "arranged": 48, "sonicpi": 48}
HITS = {"drumshots": 260, "toneshots": 160}


@dataclass(frozen=True)
class Sound:
    """An analysed clip, the class it is labelled with, and whether its source fixes the threshold."""

    analysis: Analysis
    label: str
    fixes: bool


def main() -> int:
    """Print the tables and return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--answers", type=Path, required=True, help="where analyses are kept between runs")
    args = parser.parse_args()
    args.answers.mkdir(parents=True, exist_ok=True)
    loops = [each for each in read_sounds(args.corpus, LOOPS, args.answers) if each.analysis.kind == "loop"]
    hits = [each for each in read_sounds(args.corpus, HITS, args.answers) if each.analysis.kind == "one-shot"]
    return max(report_moods(loops), report_character(hits))


def read_sounds(corpus: Path, wanted: dict[str, int], answers: Path) -> Iterator[Sound]:
    """Yield so many clips of each family, equally from its sources; each is analysed once."""
    for row in choose_clips(corpus, wanted):
        path = answers / f"{row['id'].replace('/', '-')}.json"
        if not path.exists():
            samples = np.ascontiguousarray(load_audio(corpus, row["id"])[:, None])
            path.write_text(json.dumps(analyze_sound(samples, RATE).to_dict()))
        label = str(row["label"] or row["tone"] or row["content"])
        digest = hashlib.sha256(row["group"].encode()).hexdigest()
        yield Sound(Analysis.from_dict(json.loads(path.read_text())), label, int(digest, 16) % 2 == 0)


def choose_clips(corpus: Path, wanted: dict[str, int]) -> list[dict[str, Any]]:
    """Return index rows, one from each source in turn; the same corpus always gives the same rows."""
    rng, chosen = random.Random(14), []
    rows = [row for row in load_index(corpus) if row["kind"] in ("loop", "track", "oneshot")]
    for family, count in wanted.items():
        sources = defaultdict(list)
        for row in rows:
            if row["id"].startswith(f"{family}/"):
                sources[row["group"]].append(row)
        for each in sources.values():
            rng.shuffle(each)
        turns = [row for turn in range(count) for each in sources.values() for row in each[turn : turn + 1]]
        chosen += turns[:count]
    return chosen


def report_moods(loops: list[Sound]) -> int:
    """Print the lowest threshold that the fixing half allows, and the moods of the other half."""
    fixing = [each.analysis for each in loops if each.fixes]
    other = [each.analysis for each in loops if not each.fixes]
    for step in STEPS:
        print(f"{step:.2f}: {100 * largest_share(fixing, step):5.1f} % have the commonest mood")
    allowed = next(step for step in STEPS if largest_share(fixing, step) <= MAX_SHARE / 2)
    print(f"fixed on {len(fixing)} loops: {allowed}; in force: {moods.MIN_MOOD_CONFIDENCE}")
    shares = mood_shares(other, moods.MIN_MOOD_CONFIDENCE)
    silent = sum(not moods.sure_moods(each) for each in other)
    print(f"on the other {len(other)} loops: {100 * silent / len(other):.0f} % have none")
    for mood, share in shares.most_common():
        print(f"{mood:14} {100 * share:5.1f} %")
    is_within = max(shares.values(), default=0.0) <= MAX_SHARE and allowed <= moods.MIN_MOOD_CONFIDENCE
    return 0 if is_within else 1


def largest_share(loops: list[Analysis], confidence: float) -> float:
    """Return the share of loops that the commonest mood would describe."""
    return max(mood_shares(loops, confidence).values(), default=0.0)


def mood_shares(loops: list[Analysis], confidence: float) -> Counter[str]:
    """Return for each mood the share of loops it would describe if so much confidence were enough."""
    found: Counter[str] = Counter()
    for each in loops:
        if moods.mood_confidence(each) >= confidence:
            found.update(moods.nearest_moods(each))
    return Counter({mood: count / len(loops) for mood, count in found.items()})


def report_character(hits: list[Sound]) -> int:
    """Print for each word the share of the hits of every class that it describes, by half."""
    is_bad = False
    for fixes in (True, False):
        half = [each for each in hits if each.fixes == fixes]
        classes = sorted({each.label for each in half})
        print(" " * 10, *(f"{name[:8]:>8}" for name in classes), f"{'all':>8}")
        words = [(each.label, set(character_words(each.analysis))) for each in half]
        for word in HIT_CHARACTERS:
            by_class = [[word in found for label, found in words if label == name] for name in classes]
            overall = float(np.mean([word in found for _, found in words]))
            print(
                f"{word:10}", *(f"{100 * np.mean(each):8.0f}" for each in by_class), f"{100 * overall:8.0f}"
            )
            is_bad = is_bad or not 0.0 < overall < 0.6
    return int(is_bad)


if __name__ == "__main__":
    sys.exit(main())
