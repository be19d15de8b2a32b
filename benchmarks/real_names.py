"""Judge the ear beside the file names of real sounds: `python -m benchmarks.real_names`.

Thirty loops and thirty hits of Debian packages kept for scoring are measured under neutral names. What their
own names and lengths say is right stands beside the answers. `--json` keeps the rows.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.beatless import measure_all
from benchmarks.unseen.delivery import neutral_name

LMMS = Path("/usr/share/lmms/samples")
KITS = Path("/usr/share/hydrogen/data/drumkits")
SCORCHED = Path("/usr/share/games/scorched3d/data/globalmods/none/data/music")
PACKAGES = "lmms-common hydrogen-drumkits scorched3d-data"
_BEATS = (2, 3, 4, 6, 8, 12, 16, 32)  # lengths of loops, in beats; longer ones have a multiple of 8
_LENGTH_TOLERANCE = 0.015

_TUNED, _TOP = "melod.*|lead|chord.*|pad|keys|full.*|.*mix", "top.*|.*percussion.*|.*hat.*"
# folder, files, and what the name says as a pattern of the right classes
_LOOPS: tuple[tuple[Path, str, str], ...] = (
    (LMMS / "beats", "909beat01 break01 break02 break03 electro_beat01 electro_beat02", "drum.*"),
    (LMMS / "beats", "house_loop01 jungle01", "drum.*"),
    (LMMS / "beats", "rave_kick01 rave_kick02 rave_snare01", "drum.*|.*percussion.*"),
    (LMMS / "beats", "rave_hihat01 rave_hihat02", f"{_TOP}|drum.*"),
    (LMMS / "bassloops", "briff01 rave_bass01 rave_bass02 tb303_01 techno_bass01 techno_bass02", "bass.*"),
    (LMMS / "bassloops", "techno_synth01 techno_synth02 techno_synth03 techno_synth04", f"bass.*|{_TUNED}"),
    (LMMS / "latin", "latin_brass01 latin_guitar01 latin_guitar02 latin_guitar03", _TUNED),
    (SCORCHED, "mix3_loop1 mix3_loop2 mix3_loop3", f"{_TUNED}|drum.*"),
)  # fmt: skip
_CLOSED, _OPEN = "hi-hat|.*closed.*", "hi-hat|.*open.*"
_PERCUSSION = "percussion|.*shaker.*|.*rim.*"
_HITS: tuple[tuple[Path, str, str], ...] = (
    (LMMS / "drums", "bassdrum02 kick_hiphop01 kick_long01", "kick"),
    (LMMS / "drums", "snare02 snare_hiphop01 snare_acoustic01", "snare"),
    (LMMS / "drums", "hihat_closed01 hihat_closed03", _CLOSED),
    (LMMS / "drums", "hihat_opened01 hihat_opened03", _OPEN),
    (LMMS / "drums", "clap01 clap03", "clap"),
    (LMMS / "drums", "tom01 tom_low01", "tom"),
    (LMMS / "drums", "crash02 ride01", "cymbal"),
    (LMMS / "drums", "rim01 shaker02", _PERCUSSION),
    (LMMS / "basses", "bass_hard02 bass_acid02", "bass"),
    (LMMS / "instruments", "piano01", "keys"),
    (KITS / "ElectricEmpireKit", "EE_Kick_Hard_1", "kick"),
    (KITS / "ElectricEmpireKit", "EE_Hat_Cl_Bs", _CLOSED),
    (KITS / "ElectricEmpireKit", "EE_Hat_Op_Dirty", _OPEN),
    (KITS / "ForzeeStereo", "Snare-3", "snare"),
    (KITS / "ForzeeStereo", "HiHatOpen-2", _OPEN),
    (KITS / "ForzeeStereo", "AgogoHigh-3", _PERCUSSION),
    (KITS / "The Black Pearl 1.0", "HandClap", "clap"),
    (KITS / "The Black Pearl 1.0", "PaisteRide-Hard", "cymbal"),
    (KITS / "Gimme A Hand 1.0", "Cowbell-Hard", _PERCUSSION),
)  # fmt: skip

Row = dict[str, Any]


def main() -> None:
    """Measure the sounds and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="how many files to measure at once")
    parser.add_argument("--json", type=Path, help="keep the rows in this file")
    options = parser.parse_args()
    rows: list[Row] = [{"path": p, "kind": "loop", "classes": c} for p, c in _existing(_LOOPS)]
    rows += [{"path": p, "kind": "one-shot", "classes": c} for p, c in _existing(_HITS)]
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{neutral_name(number * 7 + 11)}{r['path'].suffix}" for number, r in enumerate(rows)]
        for name, row in zip(names, rows, strict=True):
            shutil.copy(row["path"], Path(folder) / name)
        answers = measure_all(Path(folder), names, options.jobs)
    for name, row in zip(names, rows, strict=True):
        row |= {"heard": answers[name], "verdicts": judge(row, answers[name])}
    for kind in ("loop", "one-shot"):
        _print_table(kind, [r for r in rows if r["kind"] == kind])
    if options.json:
        options.json.write_text(json.dumps([{**r, "path": str(r["path"])} for r in rows], indent=0))


def judge(row: Row, heard: Row) -> dict[str, str]:
    """Return "right", "wrong" or a dash (no answer to judge) for kind, sound and tempo.

    A loop's tempo is right when its length is a usual number of beats. A hit's is right when there is none.
    """
    if "error" in heard:
        return dict.fromkeys(("kind", "sound", "tempo"), "wrong")
    sound = heard["sound"]
    named = sound is not None and re.fullmatch(row["classes"], sound) is not None
    return {
        "kind": _word(heard["kind"] == row["kind"]),
        "sound": _word(named) if sound is not None else "–",
        "tempo": _word(_tempo_is_right(row["kind"], heard)),
    }


def _tempo_is_right(kind: str, heard: Row) -> bool:
    """Return whether a hit has no tempo, or a loop one that its length allows."""
    if kind != "loop" or heard["bpm"] is None:
        return kind != "loop" and heard["bpm"] is None
    beats = heard["duration_s"] * heard["bpm"] / 60
    if beats > max(_BEATS):
        return abs(beats - 8 * round(beats / 8)) < 0.15
    return min(abs(beats / n - 1) for n in _BEATS) < _LENGTH_TOLERANCE


def _word(right: bool) -> str:
    """Return the verdict as a word."""
    return "right" if right else "wrong"


def _existing(table: Iterable[tuple[Path, str, str]]) -> list[tuple[Path, str]]:
    """Return path and right classes of the files of a table; missing ones are named on stderr."""
    out = []
    for folder, stems, classes in table:
        for stem in stems.split():
            found = sorted(folder.glob(f"{stem}.*"))
            if found:
                out.append((found[0], classes))
            else:
                print(f"No {folder / stem}: apt install {PACKAGES}", file=sys.stderr)
    return out


def _print_table(kind: str, rows: list[Row]) -> None:
    """Print a line for each file, as a Markdown table, and how many verdicts there are of each."""
    print(f"\n{len(rows)} files whose names say {kind}\n")
    print(
        "| file | kind | sound | tempo | key or note | kind, sound, tempo judged |\n|---|---|---|---|---|---|"
    )
    for row in rows:
        heard = row["heard"]
        if "error" in heard:
            print(f"| {row['path'].name} | {heard['error']} |")
            continue
        kind_cell = f"{heard['kind']} {heard['kind_confidence']:.2f}"
        sound = f"{heard['sound']} {heard['sound_confidence']:.2f}" if heard["sound"] else "–"
        tempo = f"{heard['bpm']:.2f} ({heard['bpm_confidence']:.2f})" if heard["bpm"] else "–"
        pitch = heard["key"] or heard["note"] or "–"
        verdicts = ", ".join(row["verdicts"].values())
        print(f"| {row['path'].name} | {kind_cell} | {sound} | {tempo} | {pitch} | {verdicts} |")
    for what in ("kind", "sound", "tempo"):
        counts = Counter(r["verdicts"][what] for r in rows)
        print(f"{what}: {counts['right']} right, {counts['wrong']} wrong, {counts['–']} without an answer")


if __name__ == "__main__":
    main()
