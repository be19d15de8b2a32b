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
from benchmarks.tables import Table, add_document_option, show_tables
from benchmarks.unseen.delivery import neutral_name

LMMS = Path("/usr/share/lmms/samples")
KITS = Path("/usr/share/hydrogen/data/drumkits")
SCORCHED = Path("/usr/share/games/scorched3d/data/globalmods/none/data/music")
PACKAGES = "lmms-common hydrogen-drumkits scorched3d-data"
_BEATS = (2, 3, 4, 6, 8, 12, 16, 32)  # lengths of loops, in beats; longer ones have a multiple of 8
_LENGTH_TOLERANCE = 0.015

_TUNED = "melody|chords"
# folder, files, and what the name says as a pattern of the right classes
_LOOPS: tuple[tuple[Path, str, str], ...] = (
    (LMMS / "beats", "909beat01 break01 break02 break03 electro_beat01 electro_beat02", "drums"),
    (LMMS / "beats", "house_loop01 jungle01", "drums|full mix"),
    (LMMS / "beats", "rave_kick01 rave_kick02 rave_snare01", "drums|percussion"),
    (LMMS / "beats", "rave_hihat01 rave_hihat02", "percussion|drums"),
    (LMMS / "bassloops", "briff01 rave_bass01 rave_bass02 tb303_01 techno_bass01 techno_bass02", "bass"),
    (LMMS / "bassloops", "techno_synth01 techno_synth02 techno_synth03 techno_synth04", f"bass|{_TUNED}"),
    (LMMS / "latin", "latin_brass01", f"{_TUNED}|full mix"),
    (LMMS / "latin", "latin_guitar01 latin_guitar02 latin_guitar03", _TUNED),
    (SCORCHED, "mix3_loop1 mix3_loop2 mix3_loop3", "full mix"),
)  # fmt: skip
_HITS: tuple[tuple[Path, str, str], ...] = (
    (LMMS / "drums", "bassdrum02 kick_hiphop01 kick_long01", "kick"),
    (LMMS / "drums", "snare02 snare_hiphop01 snare_acoustic01", "snare"),
    (LMMS / "drums", "hihat_closed01 hihat_closed03", "closed hat"),
    (LMMS / "drums", "hihat_opened01 hihat_opened03", "open hat"),
    (LMMS / "drums", "clap01 clap03", "clap"),
    (LMMS / "drums", "tom01 tom_low01", "tom"),
    (LMMS / "drums", "crash02 ride01", "cymbal"),
    (LMMS / "drums", "rim01", "rim"),
    (LMMS / "drums", "shaker02", "shaker"),
    (LMMS / "basses", "bass_hard02 bass_acid02", "bass"),
    (LMMS / "instruments", "piano01", "keys"),
    (KITS / "ElectricEmpireKit", "EE_Kick_Hard_1", "kick"),
    (KITS / "ElectricEmpireKit", "EE_Hat_Cl_Bs", "closed hat"),
    (KITS / "ElectricEmpireKit", "EE_Hat_Op_Dirty", "open hat"),
    (KITS / "ForzeeStereo", "Snare-3", "snare"),
    (KITS / "ForzeeStereo", "HiHatOpen-2", "open hat"),
    (KITS / "ForzeeStereo", "AgogoHigh-3", "percussion"),
    (KITS / "Millo_MultiLayered2", "clap_02", "clap"),
    (KITS / "ColomboAcousticDrumkit", "crash16i__ride2", "cymbal"),
    (KITS / "Millo_MultiLayered3", "mc_cb", "percussion"),
)  # fmt: skip

Row = dict[str, Any]


def main() -> None:
    """Measure the sounds and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="how many files to measure at once")
    parser.add_argument("--json", type=Path, help="keep the rows in this file")
    add_document_option(parser)
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
    tables = [_table(kind, [r for r in rows if r["kind"] == kind]) for kind in ("loop", "one-shot")]
    show_tables([*tables, _counts_table(rows)], options.document)
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


def _table(kind: str, rows: list[Row]) -> Table:
    """Return a line for each file: what was heard, and in the last column what is wrong with it."""
    lines = []
    for row in rows:
        heard, verdicts = row["heard"], row["verdicts"]
        wrong = ", ".join(f"{what} {v}" for what, v in verdicts.items() if v != "right")
        if "error" in heard:
            lines.append((row["path"].name, heard["error"], "–", "–", "–", wrong))
            continue
        sound = f"{heard['sound']} {heard['sound_confidence']:.2f}" if heard["sound"] else "–"
        tempo = f"{heard['bpm']:.2f} ({heard['bpm_confidence']:.2f})" if heard["bpm"] else "–"
        pitch = heard["key"] or heard["note"] or "–"
        kind_cell = f"{heard['kind']} {heard['kind_confidence']:.2f}"
        lines.append((row["path"].name, kind_cell, sound, tempo, pitch, wrong or "right"))
    return Table(f"real {kind}s", ("file", "kind", "sound", "tempo", "key or note", "judged"), lines)


def _counts_table(rows: list[Row]) -> Table:
    """Return how many verdicts of each sort there are."""
    lines = []
    for kind in ("loop", "one-shot"):
        for what in ("kind", "sound", "tempo"):
            counts = Counter(r["verdicts"][what] for r in rows if r["kind"] == kind)
            lines.append((f"{what} of {kind}s", counts["right"], counts["wrong"], counts["–"]))
    return Table("real sounds", ("by their names and lengths", "right", "wrong", "no answer"), lines)


if __name__ == "__main__":
    main()
