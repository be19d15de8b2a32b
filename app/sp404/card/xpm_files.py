"""A drum program of the MPC: `.xpm` with its WAVs beside it.

The MPC counts pads from the bottom left, so the unit's pad 13 is A01. Names of the elements, instruments and
pads counted from 1, samples by their names without an ending, `SliceEnd` in frames: programs of MPC 2 as
published in several packs. It was not tried on an MPC by us.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from app.sp404.card.card_files import CardFile, text_file, wav_file
from app.sp404.card.card_names import folder_for_kit, placed_stem, shortening
from app.sp404.card.card_report import CardReport
from app.sp404.card.pad_plans import CardPlan, PlannedPad
from app.sp404.card.played_pitch import played_cents, unplayed_settings
from app.sp404.pad_places import pad_index
from app.sp404.unit_limits import LEVEL, PAN_CENTRE

MPC_PADS = 128
LAYERS = 4
LOWEST_NOTE = 36
UNITY = 0.707946
"""What the MPC calls 0 dB."""
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
Element = ElementTree.Element


def xpm_files(plan: CardPlan, report: CardReport) -> Iterator[CardFile]:
    """Yield a program with up to 128 pads and the WAVs that it plays, below ``MPC``."""
    name = folder_for_kit(plan.kit.name)
    pads: dict[int, PlannedPad] = {}
    for pad, planned in plan.pads.items():
        place = mpc_pad(pad)
        if place > MPC_PADS:
            report.leave_out("xpm", pad, planned.settings.name, "The MPC has banks A to H.")
            continue
        pads[place] = planned
        stem = placed_stem(planned)
        path = f"MPC/{name}/{stem}.wav"
        lost = unplayed_settings(planned.settings, mutes=True, syncs=False)
        report.add("xpm", planned, path, (*shortening(planned, stem), *lost))
        yield wav_file(path, planned.sound.audio)
    report.leave_out_missing("xpm", plan)
    yield text_file(f"MPC/{name}/{name}.xpm", make_program(name, pads))


def mpc_pad(pad: str) -> int:
    """Return the number on an MPC, 1 for A01 at the bottom left, of a pad of the unit."""
    bank, number = divmod(pad_index(pad), 16)
    row, column = divmod(number, 4)
    return 16 * bank + 4 * (3 - row) + column + 1


def make_program(name: str, pads: dict[int, PlannedPad]) -> str:
    """Return the text of a drum program.

    Parameters
    ----------
    name : str
    pads : dict of int to PlannedPad
        By the numbers of an MPC, 1 to 128.
    """
    root = Element("MPCVObject")
    version = ElementTree.SubElement(root, "Version")
    _add(version, File_Version="2.1", Application="MPC-V", Application_Version="2.9.1.2", Platform="Linux")
    program = ElementTree.SubElement(root, "Program", type="Drum")
    _add(program, ProgramName=name, Volume=UNITY, Pan=0.5, Program_Polyphony=64)
    instruments = ElementTree.SubElement(program, "Instruments")
    for number in range(1, MPC_PADS + 1):
        instruments.append(_instrument(number, pads.get(number)))
    notes = ElementTree.SubElement(program, "PadNoteMap")
    for number in range(1, MPC_PADS + 1):
        pad = ElementTree.SubElement(notes, "PadNote", number=str(number))
        _add(pad, Note=(LOWEST_NOTE + number - 1) % 128)
    ElementTree.indent(root)
    return HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"


def _instrument(number: int, planned: PlannedPad | None) -> Element:
    instrument = Element("Instrument", number=str(number))
    settings = planned.settings if planned else None
    is_one_shot = settings is not None and not settings.gate
    mono = settings is None or settings.poly_mode == "mono"
    _add(
        instrument,
        Volume=UNITY,
        Pan=0.5,
        Mono=mono,
        Polyphony=1 if mono else 0,
        LowNote=0,
        HighNote=127,
        MuteGroup=settings.mute_group if settings else 0,
        OneShot=is_one_shot or settings is None,
        TriggerMode=0 if is_one_shot or settings is None else 2,
    )
    layers = ElementTree.SubElement(instrument, "Layers")
    for layer in range(1, LAYERS + 1):
        layers.append(_layer(layer, planned if layer == 1 else None))
    return instrument


def _layer(number: int, planned: PlannedPad | None) -> Element:
    layer = Element("Layer", number=str(number))
    if planned is None:
        _add(layer, Active=False, Volume=UNITY, Pan=0.5, VelStart=0, VelEnd=127, SampleName="", SampleFile="")
        return layer
    settings = planned.settings
    semitones, cents = _split_cents(played_cents(settings))
    end = planned.sound.frames if settings.end is None else settings.end
    _add(
        layer,
        Active=True,
        Volume=UNITY * settings.level / LEVEL.most,
        Pan=_pan(settings.pan),
        Pitch=0.0,
        TuneCoarse=semitones,
        TuneFine=cents,
        VelStart=0,
        VelEnd=127,
        RootNote=0,
        KeyTrack=False,
        SampleName=placed_stem(planned),
        SampleFile="",
        SliceIndex=128,
        Direction=int(settings.play_mode.startswith("reverse")),
        Offset=0,
        SliceStart=settings.start,
        SliceEnd=end,
        SliceLoopStart=settings.loop_top or settings.start,
        SliceLoop=int(settings.loop),
    )
    return layer


def _add(parent: Element, **texts: str | float) -> None:
    """Add an element for each name, with numbers and switches as the MPC writes them."""
    for name, value in texts.items():
        text = f"{value:.6f}" if isinstance(value, float) else str(value)
        ElementTree.SubElement(parent, name).text = text


def _split_cents(cents: int) -> tuple[int, int]:
    """Return whole semitones and -50 to 50 cents."""
    semitones = round(cents / 100)
    return semitones, cents - 100 * semitones


def _pan(pan: int) -> float:
    """Return 0 for left to 1 for right."""
    side = PAN_CENTRE if pan < PAN_CENTRE else LEVEL.most - PAN_CENTRE
    return 0.5 + (pan - PAN_CENTRE) / (2 * side)
