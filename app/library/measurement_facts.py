"""A sample's measurements explained to a producer, and the bars of its two charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from app.audio.result import Analysis, SpectralSummary
from app.models import Sample
from app.music.pitch_names import PITCH_NAMES
from app.music.sound_classes import TEXTURE, fits_kind

Value = TypeVar("Value")
CHART_HEIGHT = 100
FLOOR_DB = -60.0
MIN_SHARE, MAX_OTHERS = 0.02, 4
SAME_TEMPO_RATIO = 0.02


@dataclass(frozen=True)
class Fact:
    """One measurement: its label, its value as text, and what it means."""

    label: str
    value: str
    words: str


@dataclass(frozen=True)
class ChartBar:
    """One bar of a chart: its label, its height from 0 to 100, and its figure as text for a tooltip."""

    label: str
    height: float
    figure: str


def measured_facts(sample: Sample) -> list[tuple[str, list[Fact]]]:
    """Return every measurement under a heading, with what it means to a producer."""
    measured = sample.analysis()
    return [
        ("Level", _level_facts(measured)),
        ("Tone", _tone_facts(measured)),
        ("Time", _time_facts(measured, sample.kind)),
        ("File", _file_facts(sample)),
    ]


def other_tempi(sample: Sample) -> list[tuple[float, float]]:
    """Return other likely tempi with the probability of each.

    The tempo in force is left out, and the measured one too, because undoing the correction restores it. A
    texture has none.
    """
    if sample.kind == TEXTURE:
        return []
    measured = sample.analysis()
    known = [bpm for bpm in (sample.bpm, measured.bpm) if bpm is not None]
    candidates = measured.bpm_candidates
    return _likely_values(
        each for each in candidates if all(abs(each[0] / bpm - 1) > SAME_TEMPO_RATIO for bpm in known)
    )


def other_keys(sample: Sample) -> list[tuple[str, float]]:
    """Return other likely keys with the probability of each, chosen as `other_tempi` are."""
    measured = sample.analysis()
    known = (sample.key, measured.key)
    return _likely_values(each for each in measured.key_candidates if each[0] not in known)


def other_sounds(sample: Sample) -> list[tuple[str, float]]:
    """Return other likely sound types of the sample's kind, chosen as `other_tempi` are."""
    measured = sample.analysis()
    known = (sample.sound, measured.sound)
    return _likely_values(
        each for each in measured.sound_candidates if each[0] not in known and fits_kind(each[0], sample.kind)
    )


def _likely_values(candidates: Iterable[tuple[Value, float]]) -> list[tuple[Value, float]]:
    return [(value, share) for value, share in candidates if share >= MIN_SHARE][:MAX_OTHERS]


def original_values(sample: Sample) -> dict[str, str]:
    """Return, for each corrected field, the value that was measured or described."""
    found = sample.found()
    return {name: _value_text(name, found[name]) for name in sample.corrections}


def chart_bars(sample: Sample) -> dict[str, list[ChartBar]]:
    """Return the bars of the spectrum and of the chroma chart."""
    spectral = sample.analysis().spectral
    return {"spectrum": _spectrum_bars(spectral), "chroma": _chroma_bars(spectral.chroma.mean)}


def _value_text(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(each["name"] if isinstance(each, dict) else each for each in value) or "none"
    if value is None:
        return "none"
    return f"{value:.1f} BPM".replace(".0 ", " ") if name == "bpm" else str(value)


def _level_facts(measured: Analysis) -> list[Fact]:
    loudness_db, crest_db = measured.loudness_db, measured.crest_db
    unit = measured.loudness_unit
    return [
        Fact("Loudness", _db_text(loudness_db, unit), _loudness_advice(loudness_db)),
        Fact(
            "True peak",
            _db_text(measured.true_peak_db, "dBTP"),
            "The highest peak, measured between samples too; above 0 it clips.",
        ),
        Fact("RMS", _db_text(measured.rms_db, "dBFS"), "The average level."),
        Fact(
            "Crest",
            _db_text(crest_db, "dB"),
            "Peak level above the average: high for drums, low for squashed material.",
        ),
    ]


def _tone_facts(measured: Analysis) -> list[Fact]:
    spectral = measured.spectral
    rows = [
        Fact("Brightness", _score_text(measured.brightness), "0 is a dark sub, 100 is a bright hi-hat."),
        Fact("Noisiness", _score_text(measured.noisiness), "0 is a pure tone, 100 is white noise."),
    ]
    for moments, label, words in (
        (spectral.centroid_hz, "Centroid", "The centre of gravity of the spectrum."),
        (spectral.bandwidth_hz, "Bandwidth", "How far the energy spreads around the centroid."),
        (spectral.rolloff_hz, "Roll-off", "85% of the energy lies below this frequency."),
    ):
        rows.append(Fact(label, _hz_text(moments.mean, moments.std), words))
    flatness = spectral.flatness.mean
    crossings = spectral.zero_crossing_rate.mean
    rows.append(Fact("Flatness", _decimal_text(flatness, 3), "Near 0 for tones, near 1 for noise."))
    rows.append(
        Fact(
            "Zero crossings",
            _decimal_text(crossings, 3),
            "How often the wave crosses zero, per sample: often for hiss, rarely for bass.",
        )
    )
    if measured.note:
        slides = "The pitch it starts on and the one it ends on; use the first to tune pads."
        steady = "The pitch of this sound; use it to tune pads."
        rows.append(Fact("Note", _note_text(measured), slides if measured.note_end else steady))
    elif measured.tuning_cents is not None:
        rows.append(Fact("Tuning", f"{measured.tuning_cents:+.0f} cents", "Distance from A = 440 Hz."))
    return rows


def _note_text(measured: Analysis) -> str:
    cents = measured.note_cents
    away = "" if cents is None else f" {cents:+.0f} cents".replace("-", "−")
    end = f" → {measured.note_end}" if measured.note_end else ""
    return f"{measured.note}{away}{end}".replace("#", "♯")


def _time_facts(measured: Analysis, kind: str) -> list[Fact]:
    count, attack_ms = len(measured.onsets), measured.attack_ms
    return [
        *([] if kind == TEXTURE else _beat_facts(measured)),
        Fact("Onsets", str(count), "Where sounds start, moved to zero crossings: good points to chop at."),
        Fact(
            "Attack", "–" if attack_ms is None else f"{attack_ms:.0f} ms", "From silence to the first peak."
        ),
    ]


def _beat_facts(measured: Analysis) -> list[Fact]:
    beats, downbeats = measured.beats, measured.downbeats
    if not beats or not downbeats:
        return []
    first = f"The first bar begins at {downbeats[0]:.3f} s; chop at beats or bars to keep the groove."
    return [Fact("Beats", f"{len(beats)}, from {beats[0]:.3f} s", first)]


def _file_facts(sample: Sample) -> list[Fact]:
    features = sample.features
    channels = {1: "mono", 2: "stereo"}.get(features.channels, f"{features.channels} channels")
    return [
        Fact("Format", sample.format, f"{features.sample_rate / 1000:g} kHz, {channels}"),
        Fact(
            "Size",
            f"{sample.size_bytes / 1e6:.2f} MB",
            "The size of your upload; the original is never changed.",
        ),
        Fact(
            "Analysis engine",
            features.engine_version,
            "The version that measured this sample.",
        ),
    ]


def _spectrum_bars(spectral: SpectralSummary) -> list[ChartBar]:
    """Return the chart of the spectrum; the oldest measurements name no bands and have no chart."""
    loudest = max(spectral.bands_db, default=0.0)
    bars = []
    for level, centre_hz in zip(spectral.bands_db, spectral.bands_hz, strict=False):
        relative = max(level - loudest, FLOOR_DB)
        height = CHART_HEIGHT * (1 - relative / FLOOR_DB)
        bars.append(ChartBar(_hz_text(centre_hz, None), height, f"{relative:.0f} dB".replace("-", "−")))
    return bars


def _chroma_bars(mean: Sequence[float]) -> list[ChartBar]:
    strongest = max(mean, default=0.0) or 1.0
    return [
        ChartBar(pitch.replace("#", "♯"), CHART_HEIGHT * value / strongest, f"{100 * value / strongest:.0f}%")
        for pitch, value in zip(PITCH_NAMES, mean, strict=True)
    ]


def _loudness_advice(loudness_db: float | None) -> str:
    if loudness_db is None:
        return "Silence has no loudness."
    if loudness_db > -9:
        return "Very loud: leave headroom when you layer it."
    if loudness_db > -18:
        return "A usual level for finished material."
    return "Quiet: turn the pad up or normalise it." if loudness_db < -30 else "A moderate level."


def _db_text(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.1f} {unit}".replace("-", "−")


def _hz_text(mean: float | None, std: float | None) -> str:
    if mean is None:
        return "–"
    around = "" if std is None else f" ± {std:,.0f}"
    return f"{mean:,.0f}{around} Hz"


def _score_text(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} / 100"


def _decimal_text(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
