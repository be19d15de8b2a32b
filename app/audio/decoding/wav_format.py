"""Read the format chunk of a WAV: what it declares, and what it means where it contradicts itself."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from app.audio.decoding.pcm_layout import describe_channels
from app.audio.errors import EXPORT_AGAIN, UnreadableAudio

MP3_TAG = 0x55
_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_GUID_TAILS = (
    bytes.fromhex("000000001000800000aa00389b71"),
    bytes.fromhex("00002107d3118644c8c1ca000000"),  # ambisonic B-format
)
_SUBTYPES = {
    _PCM: {1: "PCM_U8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"},
    _FLOAT: {4: "FLOAT", 8: "DOUBLE"},
    _ALAW: {1: "ALAW"},
    _ULAW: {1: "ULAW"},
}


@dataclass(frozen=True, slots=True)
class WavFormat:
    """The fields of a format chunk.

    Attributes
    ----------
    tag
        The coding: 1 PCM, 3 float, 6 A-law, 7 µ-law; of an extensible format the one in its GUID.
    channels, sample_rate
        As declared, the rate in Hz.
    byte_rate, align
        Bytes of a second and of a frame as declared; often wrong.
    bits, valid_bits
        Bits a sample takes and, in an extensible format, how many of them count; 0 when not given.
    """

    tag: int
    channels: int
    sample_rate: int
    byte_rate: int
    align: int
    bits: int
    valid_bits: int

    def choose_width(self, audio: bytes) -> tuple[str, int, tuple[str, ...]]:
        """Return the subtype in libsndfile's words, the bytes of a sample, and warnings.

        Parameters
        ----------
        audio : bytes
            The beginning of the audio. It tells whether 24 bits lie in three bytes or in four.

        Raises
        ------
        UnreadableAudio
            We do not read the coding, or sox and ffmpeg read the header differently.
        """
        widths = _SUBTYPES.get(self.tag)
        if widths is None:
            raise UnreadableAudio(
                f"This WAV uses a compression we do not read (type {self.tag}). "
                "Export it as 16- or 24-bit PCM."
            )
        if not self.channels:
            return widths[min(widths)], min(widths), ()  # refused for its channels later
        width = self._choose_bytes(widths, audio)
        if width not in widths:
            raise UnreadableAudio(
                f"This WAV's header says {self.bits}-bit audio, which does not exist. {EXPORT_AGAIN}"
            )
        return widths[width], width, self._warn(width)

    def _choose_bytes(self, widths: dict[int, str], audio: bytes) -> int:
        """Return the bytes of a sample. sox and ffmpeg go by the bits and hardly look at the block align."""
        container = self.align // self.channels
        bits = self.bits or (self.valid_bits if self.tag == _PCM else 0)
        natural = (bits + 7) // 8
        if self.valid_bits > max(self.bits, 8 * natural):
            self._refuse_bits(f"{self.valid_bits} valid bits in samples of {self.bits}")
        if natural not in widths and natural < container and container in widths:
            return self._trust_align(container)
        if container == natural or self.tag != _PCM or container not in widths:
            return natural
        if bits in (20, 24) and container == 4:
            return self._choose_padded(audio)
        if bits % 8 or self.valid_bits not in (0, bits):
            self._refuse_bits(f"{bits}-bit samples in {container} bytes")
        return natural

    def _trust_align(self, container: int) -> int:
        """Return the bytes of a sample by block align and byte rate, when the bits are impossible."""
        if self.byte_rate not in (0, self.sample_rate * self.align):
            self._refuse_bits(f"{self.bits}-bit samples in {container} bytes")
        return container

    def _choose_padded(self, audio: bytes) -> int:
        """Return 4 if the samples are padded to four bytes. ffmpeg always assumes so, sox never does."""
        if not any(audio[: len(audio) // 4 * 4 : 4]):
            return 4
        return self._refuse_bits(f"{self.bits}-bit samples in 4 bytes, but the audio is not stored that way")

    def _refuse_bits(self, what: str) -> int:
        raise UnreadableAudio(
            f"This WAV's header contradicts itself ({what}), and programs read it differently. {EXPORT_AGAIN}"
        )

    def _warn(self, width: int) -> tuple[str, ...]:
        """Return a warning when bits, block align or byte rate are not those of the chosen width."""
        frame = width * self.channels
        kind = f"{8 * width}-bit {describe_channels(self.channels)}"
        if not self.bits and self.tag not in (_ALAW, _ULAW):
            return (f"This WAV's header says 0 bits per sample. We read it as {kind}, which fits the rest.",)
        if self.align == frame and self.byte_rate == frame * self.sample_rate:
            return ()
        return (
            f"This WAV's header contradicts itself: it says {self.align} bytes per frame and "
            f"{self.byte_rate:,} per second, which is wrong for {kind} audio. "
            "We read it as that, as other programs do.",
        )


def parse_wav_format(fmt: bytes | None) -> WavFormat:
    """Return the fields of a format chunk.

    Parameters
    ----------
    fmt : bytes or None
        Up to 40 bytes of its body; None when the file has none before its audio.

    Raises
    ------
    UnreadableAudio
        It is missing or cut short.
    """
    if fmt is None or len(fmt) < 16:
        raise UnreadableAudio(f"This WAV's audio header is missing or incomplete (fmt chunk). {EXPORT_AGAIN}")
    tag, channels, rate, byte_rate, align, bits = struct.unpack_from("<HHIIHH", fmt)
    valid = 0
    if tag == _EXTENSIBLE and len(fmt) >= 40 and fmt[26:40] in _GUID_TAILS:
        valid, _, tag = struct.unpack_from("<HIH", fmt, 18)
    return WavFormat(tag, channels, rate, byte_rate, align, bits, valid)
