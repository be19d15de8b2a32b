"""SFZ, which most software samplers read: one instrument a bank, with the notes of the unit's pads.

Opcodes of SFZ 1, and `direction` of SFZ 2 (sfzformat.com). `group` and `off_by` are the choke.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

from app.sp404.card.card_files import CardFile, text_file, wav_file
from app.sp404.card.card_names import folder_for_bank, folder_for_kit, placed_stem, shortening
from app.sp404.card.card_report import CardReport
from app.sp404.card.pad_plans import CardPlan, PlannedPad
from app.sp404.card.played_pitch import played_cents, unplayed_settings
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import bank_of
from app.sp404.project.pad_notes import note_of_pad
from app.sp404.unit_limits import LEVEL, PAN_CENTRE

SILENT_DB = -144.0


def sfz_files(plan: CardPlan, report: CardReport) -> Iterator[CardFile]:
    """Yield an SFZ for each bank, and the WAVs that they play, below ``SFZ``."""
    folder = f"SFZ/{folder_for_kit(plan.kit.name)}"
    regions: dict[str, list[str]] = {bank: [] for bank in plan.banks}
    for planned in plan.pads.values():
        stem = placed_stem(planned)
        path = f"{folder}/samples/{stem}.wav"
        lost = unplayed_settings(planned.settings, mutes=True, syncs=False)
        report.add("sfz", planned, path, (*shortening(planned, stem), *lost))
        regions[bank_of(planned.pad)].append(_region(planned, f"samples/{stem}.wav"))
        yield wav_file(path, planned.sound.audio)
    report.leave_out_missing("sfz", plan)
    for bank, found in regions.items():
        head = f"// {plan.kit.name}, bank {bank}: pads 1 to 16 are MIDI notes 36 to 51, pad 13 the lowest.\n"
        yield text_file(f"{folder}/{folder_for_bank(plan.kit.name, bank)}.sfz", head + "".join(found))


def _region(planned: PlannedPad, path: str) -> str:
    _channel, note = note_of_pad(planned.pad)
    opcodes = {"sample": path, "key": note, "pitch_keycenter": note} | _opcodes(planned)
    lines = "".join(f"{name}={value}\n" for name, value in opcodes.items())
    return f"\n<region>\n{lines}"


def _opcodes(planned: PlannedPad) -> dict[str, str | int]:
    """Return what differs from the defaults of SFZ."""
    settings = planned.settings
    semitones, cents = _split(played_cents(settings))
    wanted = {
        "loop_mode": _loop_mode(settings),
        "volume": f"{_volume_db(settings.level):.2f}" if settings.level != LEVEL.most else None,
        "pan": f"{_pan(settings.pan):.1f}" if settings.pan != PAN_CENTRE else None,
        "transpose": semitones or None,
        "tune": cents or None,
        "offset": settings.start or None,
        "end": settings.end - 1 if settings.end is not None else None,
        "direction": "reverse" if settings.play_mode.startswith("reverse") else None,
        "amp_veltrack": 0 if settings.fixed_velocity else None,
    }
    if settings.loop:
        end = planned.sound.frames if settings.end is None else settings.end
        wanted |= {"loop_start": settings.loop_top or settings.start, "loop_end": end - 1}
    if settings.mute_group:
        wanted |= {"group": settings.mute_group, "off_by": settings.mute_group, "off_mode": "fast"}
    return {name: value for name, value in wanted.items() if value is not None}


def _loop_mode(settings: PadSettings) -> str:
    if settings.loop:
        return "loop_continuous"
    return "no_loop" if settings.gate else "one_shot"


def _split(cents: int) -> tuple[int, int]:
    """Return whole semitones and the remaining cents, which have the same sign."""
    semitones = int(cents / 100)
    return semitones, cents - 100 * semitones


def _volume_db(level: int) -> float:
    return 20 * log10(level / LEVEL.most) if level else SILENT_DB


def _pan(pan: int) -> float:
    """Return -100 for left to 100 for right."""
    side = PAN_CENTRE if pan < PAN_CENTRE else LEVEL.most - PAN_CENTRE
    return 100 * (pan - PAN_CENTRE) / side
