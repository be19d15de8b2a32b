"""A card of the SP-404SX and SP-404A: 10 banks of 12 pads at 44.1 kHz, audio from byte 512.

Layout of the WAVs and of PAD_INFO.BIN: files of such cards, as several open tools read and write them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from app.audio.unit_format import MAX_FRAMES, RATE_HZ
from app.sp404.card.card_files import CardFile, blocks_file, bytes_file
from app.sp404.card.card_report import CardReport
from app.sp404.card.pad_plans import CardPlan, PlannedPad
from app.sp404.card.played_pitch import unplayed_settings
from app.sp404.errors import UnitFileError
from app.sp404.pad_settings import PadSettings
from app.sp404.project.pcm_files import PcmShape, make_wav_format, pcm_blocks, read_pcm_shape
from app.sp404.unit_limits import BANKS

SX_RATE_HZ = 44_100
SX_PADS_IN_BANK = 12
SX_PADS = len(BANKS) * SX_PADS_IN_BANK
AUDIO_AT = 512
FOLDER = "ROLAND/SP-404SX/SMPL/"
PAD_INFO = f"{FOLDER}PAD_INFO.BIN"
RECORD = struct.Struct(">IIII8BII")
EMPTY_RECORD = RECORD.pack(*[AUDIO_AT] * 4, 127, 0, 0, 1, 0, 1, 2, 0, 1200, 1200)
RLND_BYTES = 458
NO_SYNC, SYNC_TO_PATTERN = 0, 1
MAX_SX_FRAMES = MAX_FRAMES * SX_RATE_HZ // RATE_HZ + 1


def sx_files(plan: CardPlan, report: CardReport) -> Iterator[CardFile]:
    """Yield the files of an SP-404SX card. Pads 13 to 16 go to free pads of unused banks.

    Raises
    ------
    UnitFileError
        A sound can't be had at 44.1 kHz.
    """
    places = place_on_sx(list(plan.pads))
    records = [EMPTY_RECORD] * SX_PADS
    for pad, planned in plan.pads.items():
        place = places.get(pad)
        if place is None:
            report.leave_out("sx", pad, planned.settings.name, "The SP-404SX has 120 pads, and all are full.")
            continue
        path = f"{FOLDER}{sx_file_name(place)}"
        sound = _sound_at_44100(planned)
        shape = read_pcm_shape(sound, SX_RATE_HZ, MAX_SX_FRAMES)
        records[place] = _record_of(planned.settings, shape)
        moved = () if sx_pad(place) == pad else (f"Moved to pad {sx_pad(place)}.",)
        lost = unplayed_settings(planned.settings, mutes=False, syncs=True)
        report.add("sx", planned, path, (*moved, *_lost_pitch(planned.settings), *lost))
        size = AUDIO_AT + shape.frames * shape.frame_bytes
        yield blocks_file(path, size, partial(_blocks, sound, shape, place))
    report.leave_out_missing("sx", plan)
    yield bytes_file(PAD_INFO, b"".join(records))


def place_on_sx(pads: list[str]) -> dict[str, int]:
    """Return the place, 0 to 119, of each pad of the SP-404MKII.

    Parameters
    ----------
    pads : list of str
        Those with a sound, in order.

    Returns
    -------
    dict of str to int
        Pads 1 to 12 keep bank and number. The others follow in the banks that are not used, and then in any
        free pad; those for which no place is left are missing.
    """
    kept = {pad: _own_place(pad) for pad in pads if int(pad[1:]) <= SX_PADS_IN_BANK}
    used_banks = {pad[0] for pad in pads}
    taken = set(kept.values())
    free = [place for place in range(SX_PADS) if place not in taken]
    free.sort(key=lambda place: BANKS[place // SX_PADS_IN_BANK] in used_banks)
    others = [pad for pad in pads if pad not in kept]
    return kept | dict(zip(others, free, strict=False))


def sx_pad(place: int) -> str:
    """Return the name of a pad of the SP-404SX, ``A1`` to ``J12``."""
    bank, number = divmod(place, SX_PADS_IN_BANK)
    return f"{BANKS[bank]}{number + 1}"


def sx_file_name(place: int) -> str:
    """Return the name of a pad's file, like ``A0000001.WAV``."""
    bank, number = divmod(place, SX_PADS_IN_BANK)
    return f"{BANKS[bank]}{number + 1:07d}.WAV"


def make_sx_header(shape: PcmShape, place: int) -> bytes:
    """Return the 512 bytes before the audio of a pad's file."""
    size = shape.frames * shape.frame_bytes
    head = struct.pack("<4sI4s4sI", b"RIFF", AUDIO_AT - 8 + size, b"WAVE", b"fmt ", 18)
    rlnd = (b"roifspsx" + bytes([4, 0, 0, 0, place])).ljust(RLND_BYTES, b"\0")
    chunks = struct.pack("<4sI", b"RLND", RLND_BYTES) + rlnd + struct.pack("<4sI", b"data", size)
    return head + make_wav_format(shape.channels, SX_RATE_HZ) + bytes(2) + chunks


def _own_place(pad: str) -> int:
    return BANKS.index(pad[0]) * SX_PADS_IN_BANK + int(pad[1:]) - 1


def _sound_at_44100(planned: PlannedPad) -> Path:
    if planned.sound.at_44100 is None:
        raise UnitFileError(f"{planned.pad}: There is no 44.1 kHz version of its sound for the SP-404SX.")
    return planned.sound.at_44100()


def _record_of(settings: PadSettings, shape: PcmShape) -> bytes:
    end = AUDIO_AT + shape.frames * shape.frame_bytes
    start_frame = min(_at_44100(settings.start), shape.frames - 1)
    start = AUDIO_AT + start_frame * shape.frame_bytes
    stop = end if settings.end is None else AUDIO_AT + _at_44100(settings.end) * shape.frame_bytes
    return RECORD.pack(
        AUDIO_AT,
        end,
        start,
        min(max(stop, start + shape.frame_bytes), end),
        settings.level,
        0,
        int(settings.loop),
        int(settings.gate),
        int(settings.play_mode.startswith("reverse")),
        1,
        shape.channels,
        SYNC_TO_PATTERN if settings.bpm_sync else NO_SYNC,
        round(settings.bpm * 10),
        round(settings.bpm * 10),
    )


def _at_44100(frame: int) -> int:
    return round(frame * SX_RATE_HZ / RATE_HZ)


def _lost_pitch(settings: PadSettings) -> tuple[str, ...]:
    changed = (settings.pitch, settings.fine) != (0, 0) and not settings.vinyl
    changed = changed or (settings.speed != 100 and settings.vinyl and not settings.bpm_sync)
    lost = [name for name, is_lost in (("pitch", changed), ("pan", settings.pan != 64)) if is_lost]
    return (f"The SP-404SX has no place for: {', '.join(lost)}.",) if lost else ()


def _blocks(sound: Path, shape: PcmShape, place: int) -> Iterator[bytes]:
    yield make_sx_header(shape, place)
    yield from pcm_blocks(sound, shape)
