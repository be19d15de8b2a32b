"""Read the beginnings of samples from the store, and tell whether two are the same recording."""

from __future__ import annotations

import logging
import wave
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from app.audio.similarity.duplicates import is_same_recording
from app.deduplication.grouping import MAX_COMPARED_S
from app.extensions import settings
from app.integrations.storage import ObjectMissingError, open_store
from app.models.base import release_connection

log = logging.getLogger(__name__)

READ_S = MAX_COMPARED_S  # a longer sound is only a duplicate of the same audio: its end would not be compared
KEPT_SOUNDS = 4  # up to 23 MB each
FULL_SCALE = 32768
# Our WAVs are dithered, all with the same noise. Below this there is little else.
MIN_PEAK = 8 / FULL_SCALE


@dataclass(frozen=True)
class Sound:
    """The beginning of a sound: shape (frames, channels), full scale ±1, with the length of the whole."""

    samples: npt.NDArray[np.float32]
    rate: int
    duration_s: float

    @property
    def peak(self) -> float:
        return float(np.abs(self.samples).max(initial=0))


class SoundReader:
    """Reads the WAVs that this service renders; the last few stay in memory."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "compared.wav"
        self._sounds: OrderedDict[str, Sound | None] = OrderedDict()

    def is_same(self, first_key: str, second_key: str) -> bool:
        """Return whether two WAVs of the store hold the same recording; not if one is gone or unreadable.

        Raises StorageError when the store can't be read now.
        """
        first, second = self._read(first_key), self._read(second_key)
        if first is None or second is None or first.rate != second.rate:
            return False
        if min(first.peak, second.peak) < MIN_PEAK:
            return False
        if max(first.duration_s, second.duration_s) > READ_S:
            return False
        release_connection()
        return is_same_recording(first.samples, second.samples, first.rate)

    def _read(self, key: str) -> Sound | None:
        if key not in self._sounds:
            self._sounds[key] = self._fetch(key)
            if len(self._sounds) > KEPT_SOUNDS:
                self._sounds.popitem(last=False)
        self._sounds.move_to_end(key)
        return self._sounds[key]

    def _fetch(self, key: str) -> Sound | None:
        release_connection()
        try:
            open_store(settings()).fetch(key, self._path)
            return _read_wav(self._path)
        except (ObjectMissingError, wave.Error, EOFError) as error:
            log.warning("%s can't be compared: %s", key, ascii(str(error)))
            return None
        finally:
            self._path.unlink(missing_ok=True)


@contextmanager
def open_reader() -> Iterator[SoundReader]:
    """Yield a reader with a work folder of its own, which is removed afterwards."""
    parent = settings().data_dir.resolve() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="compare-", dir=parent) as folder:
        yield SoundReader(Path(folder))


def _read_wav(path: Path) -> Sound:
    with wave.open(str(path), "rb") as file:
        rate, channels, frames = file.getframerate(), file.getnchannels(), file.getnframes()
        if file.getsampwidth() != 2:
            raise wave.Error(f"{8 * file.getsampwidth()} bits")
        data = file.readframes(min(frames, READ_S * rate))
    values = np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(FULL_SCALE)
    return Sound(values.reshape(-1, channels), rate, frames / rate)
