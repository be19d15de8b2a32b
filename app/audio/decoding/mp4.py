"""Decode MP4 audio with ffmpeg; it is the only format that libsndfile cannot read.

ffmpeg follows references inside files (playlists, data references) unless told otherwise. So the demuxer is
named, every other one is forbidden, and the file lies in a folder of its own under a name of ours.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.audio.decoding.decode_limits import DecodeLimits
from app.audio.decoding.mp4_tracks import Mp4Tracks, read_mp4_tracks
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio
from app.sandbox.isolation import die_with_parent

_TIMEOUT_S = 600


@contextmanager
def open_as_wav(
    file: BinaryIO, size_bytes: int, work_dir: Path, limits: DecodeLimits
) -> Iterator[tuple[BinaryIO, float | None]]:
    """Yield the first audio track of an MP4 as an open 32-bit float WAV, and its length in seconds.

    The WAV is deleted afterwards. It may be longer than the length, which is that of the edit list and None
    without one: ffmpeg 5.1 plays the silence with which AAC encoders fill up the last frame.

    Parameters
    ----------
    file : BinaryIO
        The open MP4; its position is changed.
    size_bytes : int
        Its size.
    work_dir : Path
        A private folder for the copy and the WAV.
    limits : DecodeLimits
        Limits the duration.

    Raises
    ------
    UnreadableAudio
        There is no audio track, there is a video, or ffmpeg cannot read it.
    """
    found = _check_tracks(file, size_bytes)
    with tempfile.TemporaryDirectory(dir=work_dir, prefix="mp4-") as name:
        folder = Path(name)
        file.seek(0)
        with (folder / "in.m4a").open("wb") as copy:
            shutil.copyfileobj(file, copy)
        _run_ffmpeg(folder, limits, found)
        with (folder / "out.wav").open("rb") as wav:
            yield wav, found.sound_s


def ffmpeg_path() -> str:
    """Return the path of the ffmpeg on PATH, or else of the one that imageio-ffmpeg brings."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg_command(folder: Path, limits: DecodeLimits, *, has_one_edit: bool = False) -> list[str]:
    """Return the command line that decodes `in.m4a` in `folder` to `out.wav` beside it.

    Parameters
    ----------
    folder : Path
        Holds `in.m4a`.
    limits : DecodeLimits
        Limits the duration.
    has_one_edit : bool
        Whether to read what is stored to its end. Otherwise ffmpeg drops a last frame of which less than a
        millisecond is heard.
    """
    edits = ["-advanced_editlist", "0"] if has_one_edit else []
    return [
        ffmpeg_path(), "-nostdin", "-v", "error", "-threads", "1",
        "-protocol_whitelist", "file", "-format_whitelist", "mov", "-f", "mov", "-enable_drefs", "0",
        *edits, "-i", f"file:{folder / 'in.m4a'}",
        "-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1",
        "-t", f"{limits.duration_max_s + 1:.0f}", "-threads", "1", "-c:a", "pcm_f32le", "-rf64", "auto",
        "-f", "wav", f"file:{folder / 'out.wav'}",
    ]  # fmt: skip


def _run_ffmpeg(folder: Path, limits: DecodeLimits, found: Mp4Tracks) -> None:
    command = ffmpeg_command(folder, limits, has_one_edit=found.has_one_edit and found.sound_s is not None)
    try:
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=_TIMEOUT_S, check=False, preexec_fn=die_with_parent,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UnreadableAudio(f"This M4A takes too long to read. {EXPORT_AGAIN}") from error
    out = folder / "out.wav"
    # The exit code is not checked: it is nonzero for a file with a damaged end too, whose start we can use.
    if not out.exists() or out.stat().st_size <= 128:
        raise UnreadableAudio(f"This M4A is damaged or protected and cannot be read. {EXPORT_AGAIN}")


def _check_tracks(file: BinaryIO, size_bytes: int) -> Mp4Tracks:
    found = read_mp4_tracks(file, size_bytes)
    if found.has_video:
        raise UnreadableAudio("This is a video. Export its sound as WAV, FLAC or M4A and upload that.")
    if not found.has_audio:
        raise UnreadableAudio(f"This M4A has no audio track or is cut short. {EXPORT_AGAIN}")
    return found
