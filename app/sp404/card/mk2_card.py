"""The native project of the SP-404MKII, and folders of WAVs for its IMPORT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from app.sp404.card.card_files import CardFile, bytes_file, copied_file, smp_file, wav_file
from app.sp404.card.card_names import folder_for_bank, folder_for_kit, numbered_stem, shortening
from app.sp404.card.card_options import CardOptions
from app.sp404.card.card_report import CardReport
from app.sp404.card.kit_patterns import patterns_of
from app.sp404.card.pad_plans import CardPlan, PlannedPad
from app.sp404.kit_document import BankDocument, KitDocument
from app.sp404.pad_names import safe_name
from app.sp404.pad_places import pad_index, pattern_file, sound_file
from app.sp404.pad_settings import PadSettings
from app.sp404.pads import bank_of
from app.sp404.project.file_trees import PADCONF
from app.sp404.project.pad_blocks import check_positions
from app.sp404.project.pad_sounds import PadSound
from app.sp404.project.padconf_files import NEWEST, PadConf
from app.sp404.project.picture_files import PICTURE_FILES
from app.sp404.project.project_header import ProjectHead, UnitBank, fresh_header
from app.sp404.project.startup_screen import draw_startup_screen
from app.sp404.project.unit_project import FRESH, UnitProject, make_pad, padconf_bytes
from app.sp404.unit_limits import BANKS, MAX_PROJECT_NAME


def mk2_files(plan: CardPlan, options: CardOptions, report: CardReport) -> Iterator[CardFile]:
    """Yield the files of a native project, below ``EXPORT/PROJECT/PROJECT_NN``.

    Raises
    ------
    UnitFileError
        The project that the kit was read from can no longer be read.
    """
    root = f"EXPORT/PROJECT/PROJECT_{options.project_number:02d}/"
    sounds = {pad: _audio_of(planned, options) for pad, planned in plan.pads.items()}
    project = make_project(plan, options, sounds)
    made = {PADCONF.casefold()}
    yield bytes_file(root + PADCONF, padconf_bytes(project))
    for pad, planned in plan.pads.items():
        path = sound_file(pad_index(pad))
        made.add(path.casefold())
        report.add("mk2", planned, root + path)
        yield smp_file(root + path, sounds[pad])
    report.leave_out_missing("mk2", plan)
    for place, pattern in project.patterns.items():
        made.add(pattern_file(pad_index(place)).casefold())
        yield bytes_file(root + pattern_file(pad_index(place)), pattern.to_bytes())
    for path, picture in project.pictures.items():
        made.add(path.casefold())
        yield bytes_file(root + path, picture.to_bytes())
    for path, other in project.others.items():
        if path.casefold() not in made:
            yield copied_file(root + path, other)
    for path in project.empty_folders:
        yield bytes_file(f"{root}{path}/", b"")


def import_files(plan: CardPlan, report: CardReport) -> Iterator[CardFile]:
    """Yield a folder of WAVs for each bank, below ``IMPORT``."""
    name, banks = plan.kit.name, plan.banks
    for planned in plan.pads.values():
        bank = bank_of(planned.pad)
        folder = folder_for_kit(name) if len(banks) == 1 else folder_for_bank(name, bank)
        stem = numbered_stem(planned)
        path = f"IMPORT/{folder}/{stem}.wav"
        report.add("import", planned, path, shortening(planned, stem))
        yield wav_file(path, planned.sound.audio)
    report.leave_out_missing("import", plan)


def make_project(plan: CardPlan, options: CardOptions, sounds: Mapping[str, PadSound]) -> UnitProject:
    """Return the project of a kit. What was read from the unit stays where nothing was changed."""
    base = options.base or UnitProject(ProjectHead(""), base=_base_of(plan.kit))
    pads = {pad: make_pad(_settings_of(plan, pad, base), sounds[pad]) for pad in plan.pads}
    pictures = dict(base.pictures)
    if options.draws_screen and not pictures:
        pictures[PICTURE_FILES[0]] = draw_startup_screen(plan.kit.name, f"{plan.kit.tempo:g} BPM")
    patterns = patterns_of(plan.kit, options)
    return replace(base, head=_head_of(plan.kit, base), pads=pads, patterns=patterns, pictures=pictures)


def is_base(kept: str) -> bool:
    """Return whether the bytes kept with a kit are the head of a PADCONF.BIN."""
    head, data = fresh_header(), bytes.fromhex(kept)
    return len(data) == len(head) and data[:16] == head[:16]


def _audio_of(planned: PlannedPad, options: CardOptions) -> PadSound:
    """Return the sound of a pad: as the SMP that it came from, where it still plays the same."""
    audio, kept = planned.sound.audio, options.kept_sounds.get(planned.pad)
    if kept is None or check_positions(planned.settings, kept.frames) is not None:
        return audio
    return kept.restore(audio)


def _base_of(kit: KitDocument) -> PadConf:
    return PadConf(NEWEST, bytes.fromhex(kit.kept), FRESH.blocks) if is_base(kit.kept) else FRESH


def _settings_of(plan: CardPlan, pad: str, base: UnitProject) -> PadSettings:
    """Return the settings of a pad. One that has no name on the unit, and got none here, stays without."""
    settings, old = plan.pads[pad].settings, base.pads.get(pad)
    if old and not old.settings.name and not plan.kit.pads[pad].settings.name:
        return settings.model_copy(update={"name": ""})
    return settings


def _head_of(kit: KitDocument, base: UnitProject) -> ProjectHead:
    banks = [kit.banks.get(letter, BankDocument()) for letter in BANKS]
    units = tuple(UnitBank(bank.tempo, bank.volume, bank.protect) for bank in banks)
    return ProjectHead(_name_of(kit, base.head.name, base), kit.tempo, kit.tempo_source == "project", units)


def _name_of(kit: KitDocument, old: str, base: UnitProject) -> str:
    """Return the name of the project, which stays as the unit has it where the kit was named after it."""
    read_as = old.strip(" ") or safe_name(base.folder_name or "PROJECT", MAX_PROJECT_NAME)
    return old if kit.name == read_as and base.folder_name else kit.name
