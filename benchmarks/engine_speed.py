"""Measure time beside other tools, in one run: `python -m benchmarks.engine_speed`.
 Every repetition asks each tool about the same file in turn, so that a busy machine slows all of them alike.
Figures are medians, and ratios are medians of the ratios within one repetition. Everything is warm and starts
from the file. Essentia is compared when it is installed (`pip install essentia`).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import librosa
import numpy as np
import scipy.signal
import soundfile

from app.audio.file_report import measure_file
from app.engine.child_process import analyse_file
from app.sandbox.runner import Sandbox
from benchmarks.peers import librosa_key
from tests.audio.signals import RATE_HZ, chord, drums

LENGTHS_S, REPEATS = (1, 8, 30, 180), (21, 9, 5, 3)
CORE_REPEATS = 25

Pipeline = Callable[[Path], object]


def decode_and_stft(path: Path) -> object:
    """Decode a file and take one STFT: the least that any analysis has to do."""
    y, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.abs(scipy.signal.stft(y.mean(axis=1), rate, nperseg=2_048, noverlap=1_536)[2])


def naive_librosa(path: Path) -> object:
    """Run the librosa calls that most tutorials show."""
    y, rate = librosa.load(path, sr=22_050)
    spectrum = np.abs(librosa.stft(y))
    colour = [
        feature(S=spectrum, sr=rate)
        for feature in (
            librosa.feature.spectral_centroid,
            librosa.feature.spectral_bandwidth,
            librosa.feature.spectral_rolloff,
        )
    ]
    colour += [librosa.feature.spectral_flatness(S=spectrum), librosa.feature.zero_crossing_rate(y)]
    mfcc = librosa.feature.mfcc(y=y, sr=rate, n_mfcc=13)
    return (
        librosa.beat.beat_track(y=y, sr=rate),
        librosa_key(y),
        librosa.onset.onset_detect(y=y),
        mfcc,
        colour,
    )


def essentia_set() -> Pipeline:
    """Return Essentia's extractors of tempo, beats, key, loudness, onsets and spectral descriptors."""
    import essentia.standard as es

    def ask(path: Path) -> object:
        """Run the extractors on a file."""
        stereo, rate, *_ = es.AudioLoader(filename=str(path))()
        mono = es.MonoMixer()(stereo, 2)
        return (
            es.RhythmExtractor2013(method="multifeature")(mono),
            es.KeyExtractor(profileType="edma")(mono),
            es.LoudnessEBUR128(sampleRate=rate)(stereo),
            es.OnsetRate()(mono),
            es.LowLevelSpectralExtractor()(mono),
        )

    return ask


def essentia_extractor() -> Pipeline:
    """Return Essentia's MusicExtractor: all of the above and more statistics."""
    import essentia.standard as es

    ask = es.MusicExtractor(lowlevelStats=["mean", "stdev"], rhythmStats=["mean"], tonalStats=["mean"])
    return lambda path: ask(str(path))


def pipelines() -> dict[str, Pipeline]:
    """Return every pipeline that can run here, ours first."""
    found: dict[str, Pipeline] = {"ours": measure_file, "decode + STFT": decode_and_stft}
    try:
        import essentia

        essentia.log.infoActive = essentia.log.warningActive = False
        found |= {"Essentia, same set": essentia_set(), "Essentia MusicExtractor": essentia_extractor()}
    except ImportError:
        print("Essentia is not installed.")
    return found | {"naive librosa": naive_librosa}


def compare_pipelines(path: Path, seconds: int, repeats: int) -> None:
    """Print what each pipeline takes for a minute of audio in this file, and the ratio to ours."""
    asked = pipelines()
    times: dict[str, list[float]] = {name: [] for name in asked}
    for repeat in range(repeats + 1):
        for name, ask in asked.items():
            started = time.perf_counter()
            ask(path)
            if repeat:  # the first one only warms up
                times[name].append(time.perf_counter() - started)
    print(f"\n{seconds} s of audio, {repeats} repetitions: s a minute of audio, times ours")
    for name, taken in times.items():
        ratio = median(other / ours for other, ours in zip(taken, times["ours"], strict=True))
        print(f"  {name:24s} {median(taken) * 60 / seconds:8.3f} {ratio:8.2f}", flush=True)


def measure_sandbox(path: Path) -> None:
    """Print what the sandbox costs, and how soon a fresh worker answers."""
    folder, request = path.parent, {"source": path.name, "rendered": "out.wav", "name": path.name}
    started = time.perf_counter()
    sandbox = Sandbox("tests.sandbox.child_entries:process_and_weigh", warm="app.audio.warm:warm_cache")
    sandbox.run(request, folder=folder, timeout_s=60)
    print(f"\nfirst answer of a fresh worker {time.perf_counter() - started:.2f} s after its start")
    sandbox.close()
    sandbox.start()
    forked, inside = [], []
    for _ in range(CORE_REPEATS):
        started = time.perf_counter()
        answer = sandbox.run(request, folder=folder, timeout_s=60)
        forked.append(time.perf_counter() - started)
        inside.append(answer["seconds"])
    sandbox.close()
    warm, ms = time_in_process(path), 1e3
    each = median(forked)
    print(f"first file of a warm fork server {forked[0] * ms:.0f} ms, second {forked[1] * ms:.0f} ms")
    print(f"a fork for each {each * ms:.0f} ms, of which the child works {median(inside) * ms:.0f} ms")
    print(f"in one process {warm * ms:.0f} ms; the fork costs {(each - warm) * ms:.0f} ms")


def time_in_process(path: Path) -> float:
    """Return the median time of the child's work when it runs in this process, after a first run."""
    home, times = Path.cwd(), []
    os.chdir(path.parent)
    try:
        for _ in range(CORE_REPEATS + 1):
            started = time.perf_counter()
            analyse_file({"source": path.name, "rendered": "out.wav", "name": path.name}, lambda *_: None)
            times.append(time.perf_counter() - started)
    finally:
        os.chdir(home)
    return median(times[1:])


def write_test_file(folder: Path, seconds: int) -> Path:
    """Write a stereo WAV at 44.1 kHz of drums over chords, and return its path."""
    beat = drums(96, round(seconds * 1.6) + 1)[: seconds * RATE_HZ]
    bar = np.vstack([chord(notes, 2.5) for notes in ((57, 60, 64), (53, 57, 60), (55, 59, 62), (52, 55, 59))])
    bed = np.tile(bar, (seconds // 10 + 1, 1))[: len(beat)]
    path = folder / f"{seconds}.wav"
    soundfile.write(path, np.hstack([beat + bed, beat + 0.8 * bed]), RATE_HZ, "PCM_16")
    return path


def main() -> None:
    """Print the table of each length, then the cost of the sandbox."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        for seconds, repeats in zip(LENGTHS_S, REPEATS, strict=True):
            compare_pipelines(write_test_file(Path(name), seconds), seconds, repeats)
        measure_sandbox(write_test_file(Path(name), 1))


if __name__ == "__main__":
    main()
