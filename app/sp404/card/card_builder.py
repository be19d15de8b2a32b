"""Build a card from a kit and its sounds: for the SP-404MKII, the SP-404SX, an MPC or a computer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.sp404.card.card_files import CardFile, text_file
from app.sp404.card.card_options import CardOptions, check_targets, is_midi_alone
from app.sp404.card.card_report import CardReport
from app.sp404.card.card_sounds import CardSounds
from app.sp404.card.kit_folders import midi_beside_project, midi_files, wav_kit_files
from app.sp404.card.mk2_card import import_files, mk2_files
from app.sp404.card.pad_plans import CardPlan, plan_card
from app.sp404.card.readme_texts import write_readme
from app.sp404.card.sfz_files import sfz_files
from app.sp404.card.sx_card import sx_files
from app.sp404.card.xpm_files import xpm_files
from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocument

DEFAULT_OPTIONS = CardOptions()
README, REPORT = "README.txt", "report.csv"


def build(
    kit: KitDocument, sounds: CardSounds, targets: Sequence[str], options: CardOptions = DEFAULT_OPTIONS
) -> Iterator[CardFile]:
    """Return the files of a card, each of which is written when it is needed.

    Parameters
    ----------
    kit : KitDocument
    sounds : mapping of str to CardSound or MissingSound
        By pads. What can't be written is left out and named in the report.
    targets : sequence of str
        Of `app.sp404.card.card_options.TARGETS`: one or more of "mk2" (native project), "import" (WAVs for
        the unit's IMPORT), "sx" (SP-404SX and SP-404A), "wav" (WAVs and ``kit.json``), "sfz", "xpm" (MPC) and
        "midi".
    options : CardOptions

    Returns
    -------
    iterator of CardFile
        Write each file before asking for the next one; ``report.csv`` and ``README.txt`` come last. All
        paths differ, also where case is folded.

    Raises
    ------
    UnitFileError
        A target does not exist, or no pad has a sound for other targets than MIDI: then at
        once. While iterating: a sound can't be read.
    """
    check_targets(tuple(targets))
    plan = plan_card(kit, sounds)
    if not plan.pads and not is_midi_alone(targets):
        raise UnitFileError("The kit has no sounds, and the unit can't take an empty project.")
    return _files(plan, tuple(dict.fromkeys(targets)), options)


def _files(plan: CardPlan, targets: tuple[str, ...], options: CardOptions) -> Iterator[CardFile]:
    report = CardReport()
    for target in targets:
        yield from _files_of(target, plan, options, report)
    if "mk2" in targets and "midi" not in targets:
        yield from midi_beside_project(plan, options, report)
    yield text_file(REPORT, report.to_csv())
    yield text_file(README, write_readme(plan, targets, options, report.remarks))


def _files_of(target: str, plan: CardPlan, options: CardOptions, report: CardReport) -> Iterator[CardFile]:
    match target:
        case "mk2":
            return mk2_files(plan, options, report)
        case "import":
            return import_files(plan, report)
        case "sx":
            return sx_files(plan, report)
        case "wav":
            return wav_kit_files(plan, report)
        case "sfz":
            return sfz_files(plan, report)
        case "xpm":
            return xpm_files(plan, report)
    return midi_files(plan, options, report)
