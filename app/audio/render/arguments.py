"""The command lines of `python -m app.audio render` and `chop`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from app.audio.unit_format import MIN_FRAMES

LEVEL = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(dBFS|dBTP|LUFS)", re.IGNORECASE)
UNITS = {"dbfs": "dBFS", "dbtp": "dBTP", "lufs": "LUFS"}
NORMALISE = "--normalise"


def parse_render(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of `render`, named as the fields of a recipe where there is one."""
    parser = argparse.ArgumentParser(
        prog="python -m app.audio render", description="Shape a sound for a pad."
    )
    add = parser.add_argument
    add("source", type=Path, metavar="IN", help="a file")
    add("target", type=Path, metavar="OUT.wav", help="the WAV to write: 48 kHz, 16 bits")
    add("--bpm", type=float, help="stretch to this tempo")
    add("--from-bpm", type=float, help="the tempo it has now (default: measured)")
    add("--length", type=float, metavar="S", dest="length_s", help="stretch to this many seconds")
    add("--transpose", type=float, default=0.0, metavar="N", help="semitones; the tempo stays")
    add("--speed", type=float, default=1.0, metavar="R", help="like a record: 1.35 is 33⅓ played at 45")
    add("--trim", action="store_true", help="cut silence at both ends")
    add("--whole-beats", action="store_true", help="cut the end to a whole number of beats")
    add("--remove-dc", action="store_true", help="remove the DC offset")
    add("--mono", choices=("auto", "sum", "left", "right"), default="")
    add("--reverse", action="store_true")
    add(NORMALISE, type=_level, metavar="LEVEL", help="such as -1.0dBTP, -14LUFS or -0.3dBFS")
    add("--gain-db", type=float, default=0.0, metavar="DB")
    add("--fade-in-ms", type=float, default=0.0, metavar="MS")
    add("--fade-out-ms", type=float, default=0.0, metavar="MS")
    add("--fade-curve", choices=("linear", "smooth", "fast"), default="linear")
    add(
        "--min-frames",
        type=int,
        default=MIN_FRAMES,
        metavar="N",
        help=f"shortest result, padded with silence ({MIN_FRAMES})",
    )
    add("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(_join_level(arguments))


def parse_chop(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of `chop`."""
    parser = argparse.ArgumentParser(prog="python -m app.audio chop", description="Cut a sound into slices.")
    add = parser.add_argument
    add("source", type=Path, metavar="IN", help="a file")
    add("target", type=Path, metavar="OUTDIR", help="the folder for the slices")
    add("--by", choices=("onsets", "beats", "bars", "equal", "grid"), default="onsets")
    add("--count", type=int, default=16, help="most slices (16)")
    add("--sensitivity", type=float, default=None, help="0 to 1: higher also cuts at weaker hits")
    add("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def _level(text: str) -> tuple[float, str]:
    found = LEVEL.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} isn't a level. Write -1.0dBTP, -14LUFS or -0.3dBFS")
    return float(found[1]), UNITS[found[2].lower()]


def _join_level(arguments: Sequence[str]) -> list[str]:
    """Write `--normalise -1dBTP` as one argument: argparse would take the level for an option."""
    joined: list[str] = []
    for each in arguments:
        if joined and joined[-1] == NORMALISE:
            joined[-1] = f"{NORMALISE}={each}"
        else:
            joined.append(each)
    return joined
