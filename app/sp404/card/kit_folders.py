"""A kit with its sounds as WAVs and a `kit.json`, and patterns as MIDI files."""

from __future__ import annotations

from collections.abc import Iterator

from app.sp404.card.card_files import CardFile, bytes_file, text_file, wav_file
from app.sp404.card.card_names import folder_for_kit, placed_stem, shortening
from app.sp404.card.card_options import CardOptions
from app.sp404.card.card_report import CardReport
from app.sp404.card.kit_patterns import patterns_of
from app.sp404.card.pad_plans import CardPlan, PlannedPad
from app.sp404.kit_document import BankDocument, KitDocument, PadDocument, SampleReference, write_kit
from app.sp404.pad_places import pad_index
from app.sp404.pads import bank_of
from app.sp404.project.midi_writer import pattern_to_midi
from app.sp404.project.pattern_files import Pattern

KIT_FILE = "kit.json"


def wav_kit_files(plan: CardPlan, report: CardReport) -> Iterator[CardFile]:
    """Yield the WAVs of a kit and its ``kit.json``, below ``WAV``."""
    folder = f"WAV/{folder_for_kit(plan.kit.name)}"
    pads = dict(plan.kit.pads)
    for pad, planned in plan.pads.items():
        stem = placed_stem(planned)
        report.add("wav", planned, f"{folder}/sounds/{stem}.wav", shortening(planned, stem))
        pads[pad] = _with_sound(pads[pad], planned, f"sounds/{stem}.wav")
        yield wav_file(f"{folder}/sounds/{stem}.wav", planned.sound.audio)
    report.leave_out_missing("wav", plan)
    kit = KitDocument.model_validate(plan.kit.model_copy(update={"pads": pads}))
    yield bytes_file(f"{folder}/{KIT_FILE}", write_kit(kit).encode())


def midi_files(plan: CardPlan, options: CardOptions, report: CardReport) -> Iterator[CardFile]:
    """Yield each pattern as a MIDI file and as the unit's own, below ``MIDI``."""
    folder = f"MIDI/{folder_for_kit(plan.kit.name)}"
    patterns = patterns_of(plan.kit, options)
    if not patterns:
        report.remark("midi", "The kit has no pattern, so there is no MIDI file.")
        yield text_file(f"{folder}/no patterns.txt", "This kit has no pattern.\n")
    for place, pattern in patterns.items():
        yield _midi_file(plan.kit, folder, place, pattern)
        yield bytes_file(f"{folder}/PTN{pad_index(place) + 1:05d}.BIN", pattern.to_bytes())


def midi_beside_project(plan: CardPlan, options: CardOptions, report: CardReport) -> Iterator[CardFile]:
    """Yield the MIDI files of the patterns that are in the native project of the same card."""
    folder = f"MIDI/{folder_for_kit(plan.kit.name)}"
    for place, pattern in patterns_of(plan.kit, options).items():
        report.remark("mk2", f"Its patterns are in {folder} too, as MIDI files for a computer.")
        yield _midi_file(plan.kit, folder, place, pattern)


def _midi_file(kit: KitDocument, folder: str, place: str, pattern: Pattern) -> CardFile:
    name = f"{bank_of(place)}{int(place[1:]):02d}"
    midi = pattern_to_midi(pattern, _tempo_of(kit, bank_of(place)), f"{kit.name} {name}")
    return bytes_file(f"{folder}/{name}.MID", midi)


def _with_sound(pad: PadDocument, planned: PlannedPad, path: str) -> PadDocument:
    """Return a pad that plays the WAV as it is: its recipe is in the sound already."""
    sample = pad.sample or SampleReference()
    recipe = pad.settings.recipe
    if recipe is not None and not recipe.changes_nothing:
        sample = SampleReference(name=sample.name)
    settings = planned.settings.model_copy(update={"recipe": None})
    return pad.model_copy(update={"sample": sample.model_copy(update={"path": path}), "settings": settings})


def _tempo_of(kit: KitDocument, bank: str) -> float:
    """Return the tempo that a bank plays at in beats a minute."""
    return kit.tempo if kit.tempo_source == "project" else kit.banks.get(bank, BankDocument()).tempo
