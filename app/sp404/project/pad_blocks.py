"""Turn what PADCONF.BIN has about a pad into `PadSettings`, and back.

Bytes without a name stay: a pad that the unit wrote and nobody changed is written back as it was, and of a
changed one only the changed settings differ.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any, NamedTuple

from pydantic import ValidationError

from app.audio.unit_format import MAX_FRAMES
from app.sp404.errors import UnitFileError
from app.sp404.pad_names import MAX_PAD_NAME, UNLOADABLE_CHARACTER, safe_name
from app.sp404.pad_settings import PadSettings
from app.sp404.project import pad_words
from app.sp404.project.pad_words import decode_fields, encode_field
from app.sp404.project.padconf_files import BLOCK_BYTES, NAME_BYTES, NO_CHOPS, UNUSED_CHOP
from app.sp404.project.smp_files import HEADER_BYTES, MAX_SMP_BYTES, SAMPLE_BYTES
from app.sp404.setting_words import SETTING_WORDS
from app.sp404.unit_limits import MAX_CHOPS

BLOCK = struct.Struct(f">{pad_words.WORDS}i{NAME_BYTES}s16I64s")
EMPTY_NAME = b" " * MAX_PAD_NAME + b"\0"
FRESH_BLOCK = struct.pack(f">{pad_words.WORDS}i", *pad_words.FRESH_WORDS) + EMPTY_NAME + NO_CHOPS
"""What the unit writes for a pad without a sound: record, name and chops, 324 bytes."""
POSITIONS = ("start", "end", "loop_top")
POSITION_WORDS = (pad_words.SIZE, pad_words.START, pad_words.END, pad_words.LOOP_TOP)


class DecodedPad(NamedTuple):
    """What a project says about a pad.

    Attributes
    ----------
    settings : PadSettings
        Positions in frames; `kept` holds the whole block where it has more than the settings say.
    size_bytes : int
        Of the SMP, as the project has it.
    faults : tuple of str
        A sentence for each setting that the unit can't have. Its default was taken.
    """

    settings: PadSettings
    size_bytes: int
    faults: tuple[str, ...]


class _Parts(NamedTuple):
    words: list[int]
    name: bytes
    chops: list[int]
    tail: bytes


def is_used(block: bytes) -> bool:
    """Return whether a block says that its pad has a sound."""
    return any(block[:4])


def guess_channels(block: bytes) -> int:
    """Return the channels of a pad whose sound is not there: 1 if its size or positions can't be stereo's."""
    words = _unpack(block).words
    offsets = [words[place] for place in POSITION_WORDS]
    return 1 if any(offset % (2 * SAMPLE_BYTES) for offset in offsets) else 2


def decode_pad(block: bytes, channels: int) -> DecodedPad:
    """Return what a project says about a pad.

    Parameters
    ----------
    block : bytes
        Record, name and chops, 324 bytes.
    channels : int
        Of the pad's sound, 1 or 2.

    Returns
    -------
    DecodedPad
        Never fails: a setting out of its range is replaced by the unit's default and named in the faults.
    """
    parts = _unpack(block)
    size = parts.words[pad_words.SIZE] & 0xFFFFFFFF
    faults: list[str] = []
    values = decode_fields(parts.words) | _decode_positions(parts.words, channels, faults)
    values["chops"] = tuple(chop for chop in parts.chops if chop != UNUSED_CHOP)
    values["name"] = _decode_name(parts.name, faults)
    settings = _settle(values, faults)
    if not HEADER_BYTES < size <= MAX_SMP_BYTES:
        faults.append(f"The sound is said to have {size:,} bytes; the unit can't have that.")
    if not _reproduces(settings, size, channels, block):
        settings = settings.model_copy(update={"kept": block.hex()})
    return DecodedPad(settings, size, tuple(faults))


def encode_pad(settings: PadSettings, size_bytes: int, channels: int) -> bytes:
    """Return what a project says about a pad with a sound.

    Parameters
    ----------
    settings : PadSettings
        Positions and chops in frames of the sound. `kept` is empty, or a block that `decode_pad` gave: its
        bytes stay where it says the same.
    size_bytes : int
        Of the SMP.
    channels : int
        Of the SMP, 1 or 2.

    Returns
    -------
    bytes
        Record, name and chops, 324 bytes.

    Raises
    ------
    UnitFileError
        A position or chop is past the end of the sound, or `kept` is not such a block.
    """
    if settings.kept and len(settings.kept) != 2 * BLOCK_BYTES:
        raise UnitFileError("The bytes kept with the pad are not those of a project.")
    return _encode(settings, size_bytes, channels, bytes.fromhex(settings.kept) or FRESH_BLOCK)


def check_positions(settings: PadSettings, frames: int) -> str | None:
    """Return a sentence about a position that is not inside a sound of so many frames, if there is one."""
    for name in POSITIONS:
        value = getattr(settings, name)
        if value is not None and value > frames - (name != "end"):
            return f"{SETTING_WORDS[name].label} is at frame {value:,}, but the sound has {frames:,} frames."
    if settings.chops and settings.chops[-1] >= frames:
        return f"A chop is at frame {settings.chops[-1]:,}, but the sound has {frames:,} frames."
    return None


def _reproduces(settings: PadSettings, size: int, channels: int, block: bytes) -> bool:
    """Return whether a block can be written from its settings alone."""
    try:
        return _encode(settings, size, channels, FRESH_BLOCK) == block
    except UnitFileError:
        return False


def _encode(settings: PadSettings, size: int, channels: int, base: bytes) -> bytes:
    """Return a block with these settings: the base where it says the same, its bytes where it differs."""
    parts = _unpack(base)
    known = _settings_of(parts, channels)
    for name in decode_fields(parts.words):
        if getattr(settings, name) != getattr(known, name):
            encode_field(parts.words, name, getattr(settings, name))
    moved = any(getattr(settings, name) != getattr(known, name) for name in POSITIONS)
    if moved or size != parts.words[pad_words.SIZE] & 0xFFFFFFFF:
        _encode_positions(parts.words, settings, size, channels)
    name_field = parts.name
    if settings.name != known.name:
        name_field = settings.name.encode("ascii").ljust(NAME_BYTES, b"\0") if settings.name else EMPTY_NAME
    chops = parts.chops
    if settings.chops != known.chops:
        chops = [*settings.chops, *[UNUSED_CHOP] * (MAX_CHOPS - len(settings.chops))]
    return BLOCK.pack(*parts.words, name_field, *chops, parts.tail)


def _unpack(block: bytes) -> _Parts:
    fields = BLOCK.unpack(block)
    words = pad_words.WORDS
    return _Parts(list(fields[:words]), fields[words], list(fields[words + 1 : -1]), fields[-1])


def _settings_of(parts: _Parts, channels: int) -> PadSettings:
    """Return the settings of a block, with defaults for what the unit can't have."""
    ignored: list[str] = []
    values = decode_fields(parts.words) | _decode_positions(parts.words, channels, ignored)
    values["chops"] = tuple(chop for chop in parts.chops if chop != UNUSED_CHOP)
    values["name"] = _decode_name(parts.name, ignored)
    return _settle(values, ignored)


def _decode_positions(words: list[int], channels: int, faults: list[str]) -> dict[str, Any]:
    """Return start, end and loop top in frames: None for the end of the sound, and for its start."""
    size, start, end, top = (words[place] for place in POSITION_WORDS)
    if size == 0:
        return {"start": 0, "end": None, "loop_top": None}
    frame = SAMPLE_BYTES * channels
    if any((offset - HEADER_BYTES) % frame for offset in (start, end, top or start)):
        faults.append("Start, end or loop top stand inside a frame; the frame was taken.")
    return {
        "start": (start - HEADER_BYTES) // frame,
        "end": None if end == size else (end - HEADER_BYTES) // frame,
        "loop_top": None if top in (start, 0) else (top - HEADER_BYTES) // frame,
    }


def _encode_positions(words: list[int], settings: PadSettings, size: int, channels: int) -> None:
    frame = SAMPLE_BYTES * channels
    if not HEADER_BYTES < size <= MAX_SMP_BYTES:
        raise UnitFileError(f"The sound has {size:,} bytes; a pad holds 1 to {MAX_FRAMES:,} frames.")
    if fault := check_positions(settings, (size - HEADER_BYTES) // frame):
        raise UnitFileError(fault)
    top = settings.start if settings.loop_top is None else settings.loop_top
    words[pad_words.SIZE] = size
    words[pad_words.START] = HEADER_BYTES + settings.start * frame
    words[pad_words.END] = size if settings.end is None else HEADER_BYTES + settings.end * frame
    words[pad_words.LOOP_TOP] = HEADER_BYTES + top * frame


def _decode_name(field: bytes, faults: list[str]) -> str:
    text = field.split(b"\0")[0][:MAX_PAD_NAME].decode("latin-1").rstrip(" ")
    if not UNLOADABLE_CHARACTER.search(text):
        return text
    faults.append("The name has characters that the unit does not load; they were replaced.")
    return safe_name(text)


def _settle(values: dict[str, Any], faults: list[str]) -> PadSettings:
    """Return the settings, with the unit's default for each one that it can't have."""
    while True:
        try:
            return PadSettings.model_validate(values)
        except ValidationError as error:
            wrong = sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]})
        faults += [f"{SETTING_WORDS[name].sentence} The unit's default was taken." for name in wrong]
        if not wrong:
            wrong = _misfits(values)
            labels = " and ".join(SETTING_WORDS[name].label.lower() for name in wrong)
            faults.append(f"The {labels} did not fit the other settings; the unit's default was taken.")
        for name in wrong:
            del values[name]
        if values["one_shot"] and not values.get("gate", False):
            values |= {"gate": False, "loop": values.get("loop", False)}


def _misfits(values: dict[str, Any]) -> list[str]:
    """Return the settings to give up where each is right alone, but they don't fit together."""
    chops = values.get("chops", ())
    if values["one_shot"] and (values.get("gate", True) or values.get("loop", False)):
        return [name for name in ("gate", "loop") if name in values]
    if chops and (chops[0] != 0 or any(one >= after for one, after in pairwise(chops))):
        return ["chops"]
    positions = ["loop_top"] if values.get("loop_top") is not None else ["start", "end"]
    return [name for name in positions if name in values]
