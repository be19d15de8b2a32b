"""The settings of a whole project and of its ten banks, as the head of PADCONF.BIN has them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.sp404.errors import ProjectProblem, UnitFileError
from app.sp404.pad_names import UNLOADABLE_CHARACTER, safe_name
from app.sp404.project.padconf_files import PROJECT_NAME
from app.sp404.unit_limits import BANKS, MAX_PROJECT_NAME, TEMPO_BPM, VOLUME

UNIT_TEMPO_BPM = 90.0
TEMPO_AT, BANKS_AT, VOLUMES_AT = 0x10, 0x40, 0x6C
TEMPO_BITS, BY_PROJECT = 0xFFFF, 0x10000
FIXED_START = struct.pack(">4sI4sI", b"RFPD", 0xA0, b"\x03\0\0\0", 0x7A80)
UNNAMED_WORDS = (0, 0, 64, 64, 64, 0, 32, 32, 32, 32, 32)
FULL_VOLUME = VOLUME.most


@dataclass(frozen=True)
class UnitBank:
    """What the unit keeps of a bank.

    Attributes
    ----------
    tempo : float
        Beats a minute, 40 to 200 with hundredths. In force where the project uses the tempo of its banks.
    volume : int
        0 to 127.
    protect : bool
        Whether the bank is locked against changes on the unit.
    """

    tempo: float = UNIT_TEMPO_BPM
    volume: int = FULL_VOLUME
    protect: bool = False


@dataclass(frozen=True)
class ProjectHead:
    """Name, tempo and banks of a project.

    Attributes
    ----------
    name : str
        At most 32 characters; empty in files of version 2.
    tempo : float
        Beats a minute, 40 to 200 with hundredths.
    by_project : bool
        Whether all banks follow the tempo of the project instead of their own.
    banks : tuple of UnitBank
        Ten, A first.
    """

    name: str
    tempo: float = UNIT_TEMPO_BPM
    by_project: bool = False
    banks: tuple[UnitBank, ...] = field(default=(UnitBank(),) * len(BANKS))


def fresh_header() -> bytes:
    """Return the head of PADCONF.BIN of a project that was never used, without its name, 160 bytes."""
    banks = [_hundredths(UNIT_TEMPO_BPM) << 1] * len(BANKS)
    words = struct.pack(">12I", _hundredths(UNIT_TEMPO_BPM), *UNNAMED_WORDS)
    return FIXED_START + words + struct.pack(">10I", *banks) + bytes(PROJECT_NAME.stop - 0x68)


def decode_head(header: bytes) -> tuple[ProjectHead, list[ProjectProblem]]:
    """Return what a head says, and what of it the unit can't have.

    Parameters
    ----------
    header : bytes
        Of a PADCONF.BIN, 128 bytes (version 2) or 160.

    Returns
    -------
    tuple of ProjectHead and list of ProjectProblem
        What is out of its range is replaced by the unit's default.
    """
    problems: list[ProjectProblem] = []
    word = int.from_bytes(header[TEMPO_AT : TEMPO_AT + 4], "big")
    tempo = _tempo(word & TEMPO_BITS, "Project", problems)
    name = _decode_name(header[PROJECT_NAME], problems)
    banks = [_decode_bank(header, bank, problems) for bank in range(len(BANKS))]
    return ProjectHead(name, tempo, bool(word & BY_PROJECT), tuple(banks)), problems


def encode_head(head: ProjectHead, base: bytes) -> bytes:
    """Return a head with these settings.

    Parameters
    ----------
    head : ProjectHead
        The settings.
    base : bytes
        The head of a PADCONF.BIN of version 3. Where it says the same already, its bytes stay.

    Raises
    ------
    UnitFileError
        A setting is out of its range.
    """
    _check(head)
    known, _problems = decode_head(base)
    made = bytearray(base)
    if head.name != known.name:
        made[PROJECT_NAME] = head.name.encode("ascii").ljust(MAX_PROJECT_NAME, b"\0")
    if (head.tempo, head.by_project) != (known.tempo, known.by_project):
        word = int.from_bytes(base[TEMPO_AT : TEMPO_AT + 4], "big") & ~(TEMPO_BITS | BY_PROJECT)
        word |= _hundredths(head.tempo) | (BY_PROJECT if head.by_project else 0)
        made[TEMPO_AT : TEMPO_AT + 4] = word.to_bytes(4, "big")
    for number, (bank, old) in enumerate(zip(head.banks, known.banks, strict=True)):
        place = BANKS_AT + 4 * number
        if (bank.tempo, bank.protect) != (old.tempo, old.protect):
            made[place : place + 4] = (_hundredths(bank.tempo) << 1 | bank.protect).to_bytes(4, "big")
        if bank.volume != old.volume:
            made[_volume_at(number)] = (FULL_VOLUME - bank.volume).to_bytes(2, "big")
    return bytes(made)


def _decode_name(field_bytes: bytes, problems: list[ProjectProblem]) -> str:
    text = field_bytes.split(b"\0")[0].decode("latin-1").rstrip(" ")
    if not UNLOADABLE_CHARACTER.search(text):
        return text
    problems.append(ProjectProblem("Project", "Its name has characters that the unit does not show."))
    return safe_name(text, MAX_PROJECT_NAME)


def _decode_bank(header: bytes, number: int, problems: list[ProjectProblem]) -> UnitBank:
    place = f"Bank {BANKS[number]}"
    word = int.from_bytes(header[BANKS_AT + 4 * number : BANKS_AT + 4 * number + 4], "big")
    bank = UnitBank(_tempo(word >> 1, place, problems), protect=bool(word & 1))
    volume = FULL_VOLUME - int.from_bytes(header[_volume_at(number)], "big")
    if volume < VOLUME.least:
        problems.append(ProjectProblem(place, "Its volume is out of range; 127 was taken."))
        return bank
    return replace(bank, volume=volume)


def _volume_at(number: int) -> slice:
    """Return where the volume of a bank stands: pairs of banks share a word, the even one in its low half."""
    start = VOLUMES_AT + 4 * (number // 2) + (0 if number % 2 else 2)
    return slice(start, start + 2)


def _tempo(hundredths: int, place: str, problems: list[ProjectProblem]) -> float:
    tempo = hundredths / 100
    if TEMPO_BPM.least <= tempo <= TEMPO_BPM.most:
        return tempo
    problems.append(ProjectProblem(place, f"Its tempo of {tempo:g} is not 40 to 200; 90 was taken."))
    return UNIT_TEMPO_BPM


def _hundredths(tempo: float) -> int:
    return round(tempo * 100)


def _check(head: ProjectHead) -> None:
    if len(head.name) > MAX_PROJECT_NAME or UNLOADABLE_CHARACTER.search(head.name):
        raise UnitFileError(
            f"The name of a project has at most {MAX_PROJECT_NAME} characters: letters, digits, spaces and "
            "_ ! & ( ) + - , . = @ [ ] { }."
        )
    if len(head.banks) != len(BANKS):
        raise UnitFileError(f"A project has {len(BANKS)} banks, not {len(head.banks)}.")
    _check_tempos([head.tempo, *(bank.tempo for bank in head.banks)])
    for bank in head.banks:
        if not VOLUME.least <= bank.volume <= VOLUME.most:
            raise UnitFileError(f"The volume of a bank is 0 to 127, not {bank.volume:,}.")


def _check_tempos(tempos: Sequence[float]) -> None:
    for tempo in tempos:
        if not TEMPO_BPM.least <= tempo <= TEMPO_BPM.most:
            raise UnitFileError(f"A tempo is {TEMPO_BPM.least} to {TEMPO_BPM.most}, not {tempo:g}.")
