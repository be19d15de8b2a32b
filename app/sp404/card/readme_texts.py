"""`README.txt`: which card this is, and what to do with it on the unit, in the names of its own keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.plurals import pluralize
from app.sp404.card.card_names import folder_for_bank, folder_for_kit
from app.sp404.card.card_options import CardOptions
from app.sp404.card.pad_plans import CardPlan

MODELLED_ON = "5.01 to 5.52"
"""Firmware of the SP-404MKII whose files the native project was modelled on."""

INTRODUCTION = """{kit}
{line}
{pads}. What was done to each pad is in report.csv.

Copy the folders below to the top of the SD card, beside what is there; nothing has to be deleted.
The unit reads only cards that it has formatted itself (its manual says how); formatting erases a card.
"""
MK2 = """
SP-404MKII PROJECT (beta): EXPORT/PROJECT/PROJECT_{number:02d}
Back up first, import into an empty project. This is a project written by software after the files of
firmware {firmware}; no owner has confirmed yet that a unit takes it. If it is refused, use the folder IMPORT.
1. Back up the unit, as its manual says.
2. Put the card into the unit. SHIFT + pad 14, IMPORT from SD-CARD, PROJECT.
3. The list shows IMPORT. Press ROLL: it turns to EXPORT.
4. Press a pad that blinks yellow, which is an empty project. A red one is overwritten after a question.
5. Choose PROJECT_{number:02d} with VALUE and press VALUE.
To play it from the card without importing: SHIFT + SUB PAD, SUB PAD, OK, then the pad of the project.
The folder PROJECT_{number:02d} on the card is replaced when there is one: copy it elsewhere before.
"""
IMPORT = """
SP-404MKII SAMPLES: {folders}
Plain WAVs of 48 kHz and 16 bits, numbered by their pads. Settings of pads are not in a WAV; names are.
1. Put the card into the unit and choose the bank.
2. SHIFT + pad 14, IMPORT from SD-CARD, SAMPLE.
3. Open the folder of the bank with VALUE.
4. Mark the files in their order and press the first pad, or load them one by one: the number is the pad.
"""
SX = """
SP-404SX and SP-404A CARD: ROLAND/SP-404SX
For a card that the SP-404SX or SP-404A has formatted: it replaces all its pads. Back up the card first.
The SP-404MKII reads it too, with 12 pads a bank and without chops and mute groups:
1. Move the folder SP-404SX out of ROLAND into the card's folder IMPORT.
2. SHIFT + pad 14, IMPORT from SD-CARD, PROJECT(SX), then a pad for the project, then VALUE.
"""
WAV = """
WAV AND kit.json: WAV/{folder}
The whole kit with its sounds, for a friend or as a backup. Upload the folder as a ZIP to import it again.
"""
SFZ = """
SFZ: SFZ/{folder}
One instrument for each bank. Pads 1 to 16 are MIDI notes 36 to 51, pad 13 the lowest, as on the unit.
"""
XPM = """
MPC: MPC/{folder}
Copy the folder to the MPC's drive and load the .xpm: pad 13 of the unit, at the bottom left, is A01.
Written after published programs of MPC 2, and not tried on an MPC by us.
"""
MIDI = """
MIDI AND PATTERNS: MIDI/{folder}
Each pattern as a MIDI file (channel 1 is bank A, notes 36 to 51) and as the unit's own PTN file.
"""
SECTIONS = {"mk2": MK2, "import": IMPORT, "sx": SX, "wav": WAV, "sfz": SFZ, "xpm": XPM, "midi": MIDI}


def write_readme(
    plan: CardPlan, targets: Iterable[str], options: CardOptions, remarks: Mapping[str, list[str]]
) -> str:
    """Return the README.txt of a card.

    Parameters
    ----------
    plan : CardPlan
    targets : iterable of str
        Of `app.sp404.card.card_options.TARGETS`.
    options : CardOptions
        The number of the native project, and what the preflight found.
    remarks : mapping of str to list of str
        Sentences about a target.
    """
    kit = plan.kit
    left_out = f"; {pluralize(len(plan.left_out), 'pad')} left out" if plan.left_out else ""
    text = INTRODUCTION.format(
        kit=kit.name, line="=" * len(kit.name), pads=pluralize(len(plan.pads), "pad") + left_out
    )
    facts = {
        "number": options.project_number,
        "firmware": MODELLED_ON,
        "folder": folder_for_kit(kit.name),
        "folders": _import_folders(plan),
    }
    for target in targets:
        text += SECTIONS[target].format(**facts)
        text += "".join(f"Note: {sentence}\n" for sentence in remarks.get(target, []))
    if plan.left_out:
        text += "\nLEFT OUT\n" + "".join(f"{pad}: {reason}\n" for pad, reason in plan.left_out.items())
    if options.remarks:
        text += "\nWORTH KNOWING\n" + "".join(f"{remark}\n" for remark in options.remarks)
    return text


def _import_folders(plan: CardPlan) -> str:
    if len(plan.banks) < 2:
        return f"IMPORT/{folder_for_kit(plan.kit.name)}"
    return ", ".join(f"IMPORT/{folder_for_bank(plan.kit.name, bank)}" for bank in plan.banks)
