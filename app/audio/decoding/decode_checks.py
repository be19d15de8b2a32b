"""The limits on a decoded file, each refusal a sentence that says what to do."""

from __future__ import annotations

from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.decoding.format_sniffer import AudioFormat
from app.audio.decoding.pcm_headers import EXPORT_AGAIN
from app.audio.decoding.scratch_file import ScratchWriter
from app.audio.errors import UnreadableAudio

# Encoders round the length they declare by a frame or two of their codec.
_CODEC_SLACK_FRAMES = 4_608


def check_shape(channels: int, sample_rate: int, limits: DecodeLimits) -> None:
    """Refuse impossible channel counts and sample rates."""
    if not 1 <= channels <= limits.channels_max:
        raise UnreadableAudio(
            f"This file declares {channels} channels; we take 1 to {limits.channels_max}. "
            "Export it as mono or stereo."
        )
    if not limits.sample_rate_min_hz <= sample_rate <= limits.sample_rate_max_hz:
        raise UnreadableAudio(
            f"This file declares a sample rate of {sample_rate} Hz; we take 4 to 384 kHz. "
            "Export it at 48 kHz."
        )


def check_length(frames: int, channels: int, sample_rate: int, limits: DecodeLimits) -> None:
    """Refuse what is too long, or unpacks to too many values."""
    minutes = limits.duration_max_s / 60
    if frames > limits.duration_max_s * sample_rate:
        raise UnreadableAudio(
            f"This file is longer than {minutes:.0f} minutes. Cut it into shorter files and upload those."
        )
    if frames * channels > limits.values_max:
        raise UnreadableAudio(
            "This file unpacks to too much audio for its sample rate and channels. "
            "Export it as stereo at 48 kHz or cut it into shorter files."
        )


def check_decoded(
    scratch: ScratchWriter,
    declared_frames: int | None,
    sample_rate: int,
    found: AudioFormat,
    limits: DecodeLimits,
) -> list[str]:
    """Return the warnings a decoded file earns, or refuse it.

    Raises
    ------
    UnreadableAudio
        No audio, nothing but NaN, or much less audio than declared.
    """
    if not scratch.frames:
        raise UnreadableAudio(_no_audio_message(declared_frames, sample_rate, found))
    if scratch.bad_values == scratch.frames * scratch.channels:
        raise UnreadableAudio(f"Every sample of this {found.name} is invalid (not a number). {EXPORT_AGAIN}")
    warnings = _check_truncation(scratch.frames, declared_frames, sample_rate, found, limits)
    if scratch.bad_values:
        warnings.append(f"{scratch.bad_values:,} invalid samples (not a number) were replaced by silence.")
    return warnings


def _no_audio_message(declared_frames: int | None, sample_rate: int, found: AudioFormat) -> str:
    if declared_frames:
        declared = _format_seconds(declared_frames / sample_rate)
        return f"This {found.name} is cut short: it declares {declared} but holds no audio. {EXPORT_AGAIN}"
    return f"This {found.name} holds no audio. {EXPORT_AGAIN}"


def _check_truncation(
    frames: int, declared: int | None, rate: int, found: AudioFormat, limits: DecodeLimits
) -> list[str]:
    if declared is None or frames >= declared - _codec_slack(found):
        return []
    held = f"it declares {_format_seconds(declared / rate)} but holds {_format_seconds(frames / rate)}"
    if frames < declared * limits.whole_share_min or frames < limits.duration_min_truncated_s * rate:
        raise UnreadableAudio(f"This {found.name} is cut short: {held}. {EXPORT_AGAIN}")
    return [f"This {found.name} is cut short: {held}. We used what is there."]


def _codec_slack(found: AudioFormat) -> int:
    return _CODEC_SLACK_FRAMES if found.name in ("MP3", "OGG", "OPUS", "M4A") else 0


def _format_seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 0.1 else f"{seconds:.3f} s"
