"""A sample's measurements in words, and the figures its pictures are drawn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.models import Sample
from app.music import keys

T = TypeVar("T")
PICTURE_HEIGHT = 100
QUIETEST_DB = -60.0
WORTH_SAYING, MOST_OTHERS = 0.02, 4
SAME_TEMPO = 0.02


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    words: str


@dataclass(frozen=True)
class Bar:
    """One bar of a picture: its label, its height of 0..100, and its figure for whoever hovers or listens."""

    label: str
    height: float
    figure: str


def facts(sample: Sample) -> list[tuple[str, list[Fact]]]:
    """Every measurement under a heading, with what it means to a producer."""
    measured = sample.features.measured
    return [
        ("Level", _level(measured)),
        ("Tone", _tone(measured)),
        ("Time", _time(measured)),
        ("File", _file(sample)),
    ]


def other_tempi(sample: Sample) -> list[tuple[float, float]]:
    """What else the tempo could be, with the chance of each.

    Neither what is in force nor what was measured, which taking a correction back brings.
    """
    measured = sample.features.measured
    known = [bpm for bpm in (sample.bpm, measured["bpm"]) if bpm is not None]
    candidates = measured["bpm_candidates"]
    return _likely(each for each in candidates if all(abs(each[0] / bpm - 1) > SAME_TEMPO for bpm in known))


def other_keys(sample: Sample) -> list[tuple[str, float]]:
    """The same for the key."""
    measured = sample.features.measured
    known = (sample.key, measured["key"])
    return _likely(each for each in measured["key_candidates"] if each[0] not in known)


def _likely(candidates: Iterable[tuple[T, float]]) -> list[tuple[T, float]]:
    return [(value, share) for value, share in candidates if share >= WORTH_SAYING][:MOST_OTHERS]


def corrected_from(sample: Sample) -> dict[str, str]:
    """For each correction, what was found there."""
    found = sample.found()
    return {name: _found(name, found[name]) for name in sample.corrections}


def pictures(sample: Sample) -> dict[str, list[Bar]]:
    spectral = sample.features.measured["spectral"]
    return {"spectrum": _spectrum(spectral), "chroma": _chroma(spectral["chroma"]["mean"])}


def _found(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(each["name"] if isinstance(each, dict) else each for each in value) or "none"
    if value is None:
        return "none"
    return f"{value:.1f} BPM".replace(".0 ", " ") if name == "bpm" else str(value)


def _level(measured: dict[str, Any]) -> list[Fact]:
    loudness_db, crest_db = measured["loudness_db"], measured["crest_db"]
    unit = measured["loudness_unit"]
    return [
        Fact("Loudness", _db(loudness_db, unit), _loudness_words(loudness_db)),
        Fact(
            "True peak",
            _db(measured["true_peak_db"], "dBTP"),
            "The highest point between samples; above 0 it clips.",
        ),
        Fact("RMS", _db(measured["rms_db"], "dBFS"), "The average level."),
        Fact("Crest", _db(crest_db, "dB"), "Peak over average: drums are high, squashed material is low."),
    ]


def _tone(measured: dict[str, Any]) -> list[Fact]:
    spectral = measured["spectral"]
    rows = [
        Fact("Brightness", _score(measured["brightness"]), "0 is a dark sub, 100 a bright hat."),
        Fact("Noisiness", _score(measured["noisiness"]), "0 is a pure tone, 100 white noise."),
    ]
    for name, label, words in (
        ("centroid_hz", "Centroid", "The centre of gravity of the spectrum."),
        ("bandwidth_hz", "Bandwidth", "How far the energy spreads around the centroid."),
        ("rolloff_hz", "Roll-off", "85 % of the energy lies below."),
    ):
        mean, std = spectral[name]["mean"], spectral[name]["std"]
        rows.append(Fact(label, _hz(mean, std), words))
    flatness = spectral["flatness"]["mean"]
    crossings = spectral["zero_crossing_rate"]["mean"]
    rows.append(Fact("Flatness", _plain(flatness, 3), "Tonal near 0, noise near 1."))
    rows.append(Fact("Zero crossings", _plain(crossings, 3), "Per sample; hiss crosses often, bass seldom."))
    if measured["note"]:
        rows.append(Fact("Note", _note(measured), "The pitch of this sound: tune pads by it."))
    elif measured["tuning_cents"] is not None:
        rows.append(Fact("Tuning", f"{measured['tuning_cents']:+.0f} cents", "Away from A = 440 Hz."))
    return rows


def _note(measured: dict[str, Any]) -> str:
    cents = measured.get("note_cents")
    away = "" if cents is None else f" {cents:+.0f} cents".replace("-", "−")
    return f"{measured['note']}{away}".replace("#", "♯")


def _time(measured: dict[str, Any]) -> list[Fact]:
    count, attack_ms = len(measured["onsets"]), measured["attack_ms"]
    return [
        *_pulse(measured),
        Fact(
            "Onsets", str(count), "Places where something starts, at zero crossings: the points to chop at."
        ),
        Fact(
            "Attack", "–" if attack_ms is None else f"{attack_ms:.0f} ms", "From silence to the first peak."
        ),
    ]


def _pulse(measured: dict[str, Any]) -> list[Fact]:
    beats, downbeats = measured["beats"], measured.get("downbeats", [])
    if not beats or not downbeats:
        return []
    first = f"The first bar begins at {downbeats[0]:.3f} s; chop at beats or bars to keep the groove."
    return [Fact("Beats", f"{len(beats)}, from {beats[0]:.3f} s", first)]


def _file(sample: Sample) -> list[Fact]:
    features = sample.features
    channels = {1: "mono", 2: "stereo"}.get(features.channels, f"{features.channels} channels")
    return [
        Fact("Format", sample.format, f"{features.sample_rate / 1000:g} kHz, {channels}"),
        Fact(
            "Size", f"{sample.size_bytes / 1e6:.2f} MB", "As you uploaded it; the original is never changed."
        ),
        Fact("Analysed by", f"engine {features.engine_version}", "Which version of the ear measured this."),
    ]


def _spectrum(spectral: dict[str, Any]) -> list[Bar]:
    loudest = max(spectral["bands_db"], default=0.0)
    bars = []
    for level, centre_hz in zip(spectral["bands_db"], spectral["bands_hz"], strict=True):
        relative = max(level - loudest, QUIETEST_DB)
        height = PICTURE_HEIGHT * (1 - relative / QUIETEST_DB)
        bars.append(Bar(_hz(centre_hz, None), height, f"{relative:.0f} dB".replace("-", "−")))
    return bars


def _chroma(mean: list[float]) -> list[Bar]:
    strongest = max(mean, default=0.0) or 1.0
    return [
        Bar(pitch.replace("#", "♯"), PICTURE_HEIGHT * value / strongest, f"{100 * value / strongest:.0f} %")
        for pitch, value in zip(keys.PITCHES, mean, strict=True)
    ]


def _loudness_words(loudness_db: float | None) -> str:
    if loudness_db is None:
        return "Silence has no loudness."
    if loudness_db > -9:
        return "Very loud: leave headroom when you layer it."
    if loudness_db > -18:
        return "A usual level for finished material."
    return "Quiet: raise the pad's level or normalise it." if loudness_db < -30 else "A moderate level."


def _db(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.1f} {unit}".replace("-", "−")


def _hz(mean: float | None, std: float | None) -> str:
    if mean is None:
        return "–"
    around = "" if std is None else f" ± {std:,.0f}"
    return f"{mean:,.0f}{around} Hz"


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} / 100"


def _plain(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
