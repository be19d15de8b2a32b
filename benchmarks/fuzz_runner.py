"""Run damaged files through the sandbox beside a canary that must not be read, and record each outcome."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile

from app.audio.decoding.decoder import decode_file
from app.audio.errors import UnreadableAudio
from app.engine.child_process import analyse_file
from app.sandbox.errors import EngineError
from app.sandbox.runner import Sandbox
from benchmarks.mutations import ACCEPTED, REFUSED, Lures, Mutant, Mutations
from tests.sandbox.child_entries import peak_mb

CANARY, RENDERED, SOURCE = "canary.wav", "sp404.wav", "source"
TIMEOUT_S, MAX_S, MAX_MB = 60.0, 20.0, 512.0
EXPECTED_FILES = {CANARY, RENDERED, SOURCE, "decoded.f32"}


def process_files(request: dict[str, Any], progress: Callable[[str, dict[str, Any]], None]) -> dict[str, Any]:
    """Process each of some folders as production does, or only decode it; runs in the child."""
    home = Path.cwd()
    for name in request["names"]:
        os.chdir(home / name)
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak of memory
        started = time.monotonic()
        try:
            verdict, message = ACCEPTED, _process_file(request["whole"])
        except UnreadableAudio as error:
            verdict, message = REFUSED, error.message
        facts = {
            "verdict": verdict,
            "message": message,
            "seconds": time.monotonic() - started,
            "peak_mb": peak_mb(),
        }
        progress("done", {"name": name, "network": os.readlink("/proc/self/ns/net"), **facts})
    return {}


def _process_file(whole: bool) -> str:
    """Return the answer for a file as JSON, or an empty text when it was only decoded."""
    if whole:
        request = {"source": SOURCE, "rendered": RENDERED, "name": "a.wav"}
        return json.dumps(analyse_file(request, lambda *_: None), allow_nan=False)
    decode_file(Path(SOURCE), Path.cwd())
    return ""


@dataclass
class Outcome:
    """How one file ended: its verdict, and its faults."""

    number: int
    kind: str
    verdict: str
    message: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    isolated: bool = False
    whole: bool = False
    faults: list[str] = field(default_factory=list)


class FuzzRunner:
    """A fork server, a canary that must not be read, and a folder to work in."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.visits = folder, 0
        self._markers = _write_canary(folder / CANARY)
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()
        self.port = self._listener.getsockname()[1]
        lures = Lures(f"http://127.0.0.1:{self.port}/{CANARY}", (CANARY, str(folder / CANARY)))
        self.mutations = Mutations(folder, lures, seed)
        self.sandbox = Sandbox("benchmarks.fuzz_runner:process_files", warm="app.audio.warm:warm_cache")

    def check_canary(self) -> None:
        """Raise RuntimeError unless a leak of the canary would be noticed."""
        with socket.create_connection(("127.0.0.1", self.port)):
            time.sleep(0.2)
        if self.visits != 1:
            raise RuntimeError("a visit to the canary was not noticed")
        self.visits = 0
        canary = Mutant("canary", (self.folder / CANARY).read_bytes())
        for whole in (True, False):
            if not any("another file" in fault for fault in self.run({-1: canary}, whole)[0].faults):
                raise RuntimeError("the canary's sound was not recognised")

    def run(self, mutants: dict[int, Mutant], whole: bool) -> list[Outcome]:
        """Send files through one child; files after one that broke it go through another child."""
        with TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            for number, mutant in mutants.items():
                self._write_files(folder / str(number), mutant)
            done: dict[int, Outcome] = {}
            while len(done) < len(mutants):
                left = [number for number in mutants if number not in done]
                done |= self._run_batch(folder, left, mutants, whole)
            for number, found in done.items():
                found.faults = list(self._faults(found, mutants[number], folder / str(number)))
        return list(done.values())

    def decode_here(self, mutant: Mutant) -> list[str]:
        """Decode a file in this process, where the network can be reached, and return its faults."""
        with TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name) / "exposed"
            self._write_files(folder, mutant)
            with suppress(UnreadableAudio):
                decode_file(folder / SOURCE, folder)
            return list(self._leaks(folder, ""))

    def _write_files(self, folder: Path, mutant: Mutant) -> None:
        """Write a mutant into a folder of its own, with the canary beside it."""
        folder.mkdir()
        (folder / SOURCE).write_bytes(mutant.data)
        os.link(self.folder / CANARY, folder / CANARY)

    def _run_batch(
        self, folder: Path, numbers: list[int], mutants: dict[int, Mutant], whole: bool
    ) -> dict[int, Outcome]:
        """Return the outcomes up to and including the first file that broke the child."""
        done: dict[int, Outcome] = {}
        last_report = time.monotonic()

        def record(_: str, facts: dict[str, Any]) -> None:
            """Record the outcome of one file."""
            nonlocal last_report
            last_report, number = time.monotonic(), int(facts.pop("name"))
            isolated = facts.pop("network") != os.readlink("/proc/self/ns/net")
            done[number] = Outcome(number, mutants[number].kind, **facts, isolated=isolated, whole=whole)

        try:
            self.sandbox.run(
                {"names": [str(number) for number in numbers], "whole": whole},
                folder=folder,
                timeout_s=TIMEOUT_S * len(numbers),
                on_progress=record,
                tick=lambda: time.monotonic() - last_report < TIMEOUT_S,
            )
        except EngineError as error:
            broke, seconds = numbers[len(done)], time.monotonic() - last_report
            done[broke] = Outcome(
                broke, mutants[broke].kind, type(error).__name__, str(error), seconds, whole=whole
            )
        return done

    def _faults(self, found: Outcome, mutant: Mutant, folder: Path) -> Iterator[str]:
        """Yield what is wrong with an outcome."""
        if found.verdict not in (ACCEPTED, REFUSED):
            yield f"{found.verdict}: {found.message[-600:]}"
        elif mutant.verdict not in (None, found.verdict):
            yield f"{found.verdict} is wrong: {found.message[:200]}"
        message = found.message
        if found.verdict == REFUSED and not (
            message.endswith(".") and len(message) < 300 and message.isprintable()
        ):
            yield f"no sentence for a person: {message!r}"
        if found.seconds > MAX_S or found.peak_mb > MAX_MB:
            yield f"{found.seconds:.1f} s, {found.peak_mb:.0f} MB"
        yield from self._leaks(folder, message)

    def _leaks(self, folder: Path, message: str) -> Iterator[str]:
        """Yield traces of other files in what a file left behind or said."""
        if left := {path.name for path in folder.iterdir()} - EXPECTED_FILES:
            yield f"left behind: {left}"
        for name in (RENDERED, "decoded.f32"):
            written = folder / name
            if written.exists() and any(marker in written.read_bytes() for marker in self._markers):
                yield f"another file was read: {name}"
        if str(self.folder) in message:
            yield "a path was revealed"

    def _listen(self) -> None:
        """Count every connection to the listening socket."""
        while True:
            with self._listener.accept()[0]:
                self.visits += 1


def _write_canary(path: Path) -> tuple[bytes, bytes]:
    """Write a sound that passes every stage bit for bit; return a part of it as 16 bits and as float."""
    values = np.random.default_rng(404).integers(-9_000, 9_000, 12_000, dtype=np.int16)
    soundfile.write(path, values, 48_000, "PCM_16")
    known = values[6_000:6_032]
    return known.astype("<i2").tobytes(), (known / 32768).astype("<f4").tobytes()
