"""Send damaged projects, ZIPs, patterns and MIDI files through the readers: `python -m benchmarks.unit_fuzz`.

Each must be read, read in part with a list of what was wrong, or refused with a sentence. What is read is
written again: nothing may lie outside of the new folder, and what was read from it is there byte by byte.
"""

from __future__ import annotations

import argparse
import re
import resource
import shutil
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from app.sp404.errors import UnitFileError
from app.sp404.importing.kit_sources import look_into
from app.sp404.importing.unpacking import unpack
from app.sp404.project.file_trees import FileTree, open_tree, read_whole
from app.sp404.project.midi_reader import pattern_from_midi
from app.sp404.project.midi_writer import pattern_to_midi
from app.sp404.project.pattern_files import read_pattern
from app.sp404.project.pattern_notes import motions_of, notes_of, with_notes
from app.sp404.project.picture_files import read_picture
from app.sp404.project.project_json import project_to_dict
from app.sp404.project.project_reader import read_project_of
from app.sp404.project.project_search import find_projects
from app.sp404.project.project_text import describe_project
from app.sp404.project.project_writer import write_project
from benchmarks.unit_mutations import UnitMutant, make_mutant
from tests.sp404.project.made_files import read_files, write_files

WHOLE, PARTIAL, REFUSED, FAULTY = "read", "read in part", "refused", "FAULTY"
SENTENCE = re.compile(r"[A-Z“].{8,600}[.”]", re.DOTALL)
MAX_S = 5.0
"""Of processor time."""
MAX_BYTES = 1 << 30
"""Of address space, for the whole process; a reader that takes more fails."""
MAX_FILE = 1 << 25


@dataclass
class FuzzReport:
    """What became of the inputs so far."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest: int = -1

    def add(self, number: int, mutant: UnitMutant, verdict: str, seconds: float) -> None:
        self.verdicts[mutant.kind, verdict] += 1
        if seconds > self.slowest_s:
            self.slowest_s, self.slowest = seconds, number


def run_mutants(numbers: range, folder: Path) -> FuzzReport:
    """Read the inputs of these numbers, and return what became of them."""
    report = FuzzReport()
    for number in numbers:
        mutant = make_mutant(number)
        place = folder / "inside" / str(number)
        start = time.process_time()
        try:
            verdict = JUDGES[mutant.kind](mutant, place)
        except Exception:
            verdict = FAULTY
            report.faults.append(f"{number} {mutant.kind}: {traceback.format_exc(limit=-4)}")
        seconds = time.process_time() - start
        if seconds > MAX_S:
            report.faults.append(f"{number} {mutant.kind}: {seconds:.1f} s")
        report.add(number, mutant, verdict, seconds)
        shutil.rmtree(place, ignore_errors=True)
        if outside := [path for path in folder.iterdir() if path.name != "inside"]:
            raise AssertionError(f"{number}: {outside} was written outside")
    return report


def _judge_folder(mutant: UnitMutant, place: Path) -> str:
    return _judge_source(write_files(place / "in", mutant.files), place)


def _judge_archive(mutant: UnitMutant, place: Path) -> str:
    _import_everything(mutant.data, place)
    return _judge_source(mutant.data, place)


def _import_everything(sent: bytes, place: Path) -> None:
    """Unpack what a file holds as the import of the product does."""
    place.mkdir(parents=True)
    source = place / "sent"
    source.write_bytes(sent)
    try:
        for number, found in enumerate(look_into(source, "sent")):
            work = place / f"unpacked{number}"
            work.mkdir()
            done = unpack(source, found.path, "sent", work)
            assert all(SENTENCE.fullmatch(problem.text) for problem in done.problems), done.problems
            done.to_json()
    except UnitFileError as error:
        _refused(error)


def _judge_source(source: Path | bytes, place: Path) -> str:
    """Read every project of a source and write each again."""
    try:
        tree = open_tree(source)
        projects = find_projects(tree)
    except UnitFileError as error:
        return _refused(error)
    verdicts = {
        _judge_project(tree, folder, place / f"out{number}") for number, folder in enumerate(projects)
    }
    return next((one for one in (PARTIAL, WHOLE, REFUSED) if one in verdicts), REFUSED)


def _judge_project(tree: FileTree, folder: str, out: Path) -> str:
    try:
        project = read_project_of(tree, folder)
    except UnitFileError as error:
        return _refused(error)
    project_to_dict(project)
    assert describe_project(project).endswith("\n")
    assert all(SENTENCE.fullmatch(problem.text) for problem in project.problems), project.problems
    try:
        write_project(project, out)
    except UnitFileError as error:  # a file of a damaged ZIP that is only found out when it is copied
        return _refused(error)
    _check_copy(tree, folder, out, {one.place for one in project.problems if "left out" in one.text})
    return PARTIAL if project.problems else WHOLE


def _check_copy(tree: FileTree, folder: str, out: Path, named: set[str]) -> None:
    """Check that a copy has the bytes of what it was read from, and nothing else."""
    prefix = f"{folder}/" if folder else ""
    inner = tuple(f"{one}/" for one in find_projects(tree) if one != folder and one.startswith(prefix))
    originals: dict[str, set[bytes]] = {}
    for path in tree.sizes():
        if path.startswith(prefix) and not path.startswith(inner) and path not in named:
            data = read_whole(tree, path, MAX_FILE)
            originals.setdefault(path[len(prefix) :].casefold(), set()).add(data)
    copies = {path.casefold(): data for path, data in read_files(out).items()}
    assert copies.keys() == originals.keys(), copies.keys() ^ originals.keys()
    for path, data in copies.items():
        assert data in originals[path], path


def _judge_pattern(mutant: UnitMutant, place: Path) -> str:
    try:
        pattern = read_pattern(mutant.data)
    except UnitFileError as error:
        return _refused(error)
    assert pattern.to_bytes() == mutant.data
    notes = notes_of(pattern)
    assert with_notes(pattern, notes) is pattern
    motions_of(pattern)
    assert pattern_to_midi(pattern, bpm=90.0)[:4] == b"MThd"
    try:
        with_notes(pattern, notes[:-1])
    except UnitFileError as error:
        return _refused(error)
    return WHOLE


def _judge_midi(mutant: UnitMutant, place: Path) -> str:
    try:
        found = pattern_from_midi(mutant.data)
    except UnitFileError as error:
        return _refused(error)
    assert read_pattern(found.pattern.to_bytes()) == found.pattern
    assert all(SENTENCE.fullmatch(sentence) for sentence in found.left_out)
    return PARTIAL if found.left_out else WHOLE


def _judge_picture(mutant: UnitMutant, place: Path) -> str:
    try:
        assert read_picture(mutant.data).to_bytes() == mutant.data
    except UnitFileError as error:
        return _refused(error)
    return WHOLE


def _refused(error: UnitFileError) -> str:
    assert SENTENCE.fullmatch(str(error)), error
    return REFUSED


JUDGES: dict[str, Callable[[UnitMutant, Path], str]] = {
    "folder": _judge_folder,
    "zip": _judge_archive,
    "padconf": _judge_archive,
    "pattern": _judge_pattern,
    "midi": _judge_midi,
    "picture": _judge_picture,
}


def main() -> int:
    """Print how many inputs of each kind were read, read in part and refused; return 1 after a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    with TemporaryDirectory() as folder:
        report = run_mutants(range(options.first, options.first + options.files), Path(folder))
    for (kind, verdict), count in sorted(report.verdicts.items()):
        print(f"{kind:8} {verdict:13} {count:6}")
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    print(f"slowest: number {report.slowest} in {report.slowest_s:.2f} s; {grown_mb:.0f} MB above the start")
    print(*report.faults, sep="\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
