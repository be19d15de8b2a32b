"""Checks of a decoded file against the limits. Each refusal says what is wrong and what to do."""

from __future__ import annotations

from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.decoding.format_sniffer import AudioFormat
from app.audio.decoding.scratch_file import ScratchWriter
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

# Encoders round the length they declare by a frame or two of their codec.
LENGTH_SLACK_FRAMES = 4_608


def check_shape(channels: int, sample_rate: int, limits: DecodeLimits) -> None:
    """Refuse impossible channel counts and sample rates.

    Parameters
    ----------
    channels : int
    sample_rate : int
        In Hz.
    limits : DecodeLimits

    Raises
    ------
    UnreadableAudio
        Either is outside the limits.
    """
    if not 1 <= channels <= limits.channels_max:
        raise UnreadableAudio(
            f"This file has {channels} channels, and we accept 1 to {limits.channels_max}. "
            "Export it as mono or stereo."
        )
    if not limits.sample_rate_min_hz <= sample_rate <= limits.sample_rate_max_hz:
        raise UnreadableAudio(
            f"This file has a sample rate of {sample_rate} Hz, and we accept 4 to 384 kHz. "
            "Export it at 48 kHz."
        )


def check_length(frames: int, channels: int, sample_rate: int, limits: DecodeLimits) -> None:
    """Refuse audio that is too long or unpacks to too many values.

    Parameters
    ----------
    frames, channels : int
        Shape of the audio.
    sample_rate : int
        In Hz.
    limits : DecodeLimits

    Raises
    ------
    UnreadableAudio
        The audio exceeds a limit.
    """
    minutes = limits.duration_max_s / 60
    if frames > limits.duration_max_s * sample_rate:
        raise UnreadableAudio(
            f"This file is longer than {minutes:.0f} minutes. Cut it into shorter files and upload those."
        )
    if frames * channels > limits.values_max:
        raise UnreadableAudio(
            "This file is too long for its sample rate and number of channels. "
            "Export it as stereo at 48 kHz or cut it into shorter files."
        )


def check_decoded(
    scratch: ScratchWriter,
    declared_frames: int | None,
    sample_rate: int,
    found: AudioFormat,
    limits: DecodeLimits,
) -> list[str]:
    """Return warnings about a decoded file for its owner, or refuse it.

    Parameters
    ----------
    scratch : ScratchWriter
        The samples as decoded.
    declared_frames : int or None
        Length in the header, None when it leaves it open.
    sample_rate : int
        In Hz.
    found : AudioFormat
        The container; compressed ones may be a little shorter than they declare.
    limits : DecodeLimits

    Raises
    ------
    UnreadableAudio
        There is no audio, every sample is invalid, or there is much less audio than declared.
    """
    if not scratch.frames:
        raise UnreadableAudio(_no_audio_message(declared_frames, sample_rate, found))
    if scratch.bad_values == scratch.frames * scratch.channels:
        raise UnreadableAudio(f"This {found.name} holds only invalid audio data. {EXPORT_AGAIN}")
    warnings = _check_truncation(scratch.frames, declared_frames, sample_rate, found, limits)
    if scratch.bad_values:
        warnings.append(
            f"{scratch.bad_values:,} invalid values in the audio data were replaced with silence."
        )
    return warnings


def _no_audio_message(declared_frames: int | None, sample_rate: int, found: AudioFormat) -> str:
    if declared_frames:
        declared = _format_seconds(declared_frames / sample_rate)
        held = f"its header says {declared}, but it contains no audio"
        return f"This {found.name} is cut short: {held}. {EXPORT_AGAIN}"
    return f"This {found.name} contains no audio. {EXPORT_AGAIN}"


def _check_truncation(
    frames: int, declared: int | None, rate: int, found: AudioFormat, limits: DecodeLimits
) -> list[str]:
    if declared is None or frames >= declared - _codec_slack(found):
        return []
    held = _format_seconds(frames / rate)
    cut = f"its header says {_format_seconds(declared / rate)}, but it contains only {held}"
    if frames < declared * limits.whole_share_min or frames < limits.duration_min_truncated_s * rate:
        raise UnreadableAudio(f"This {found.name} is cut short: {cut}. {EXPORT_AGAIN}")
    return [f"This {found.name} is cut short: {cut}. We used those {held}."]


def _codec_slack(found: AudioFormat) -> int:
    return LENGTH_SLACK_FRAMES if found.name in ("MP3", "OGG", "OPUS", "M4A") else 0


def _format_seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 0.1 else f"{seconds:.3f} s"
