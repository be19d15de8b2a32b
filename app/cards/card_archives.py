"""Render the sounds of a kit, write its card as a ZIP, and check that: for jobs and for the command line."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from app.audio.errors import UnreadableAudio
from app.audio.render.recipe import RecipeError, RenderRecipe
from app.cards.known_sounds import sample_facts, shaped_facts, silence_added, too_long, unshaped
from app.extensions import db
from app.integrations.storage import ObjectMissingError
from app.kits import kit_bases
from app.models import Render, Sample
from app.shaping import pad_renders
from app.sp404.card.card_builder import build
from app.sp404.card.card_files import CardFile
from app.sp404.card.card_options import CardOptions
from app.sp404.card.card_sounds import CardSound, MissingSound
from app.sp404.card.sound_facts import SoundFacts
from app.sp404.kit_document import KitDocument, PadDocument
from app.sp404.preflight.card_check import check_files
from app.sp404.preflight.findings import Finding
from app.sp404.preflight.kit_preflight import check_kit
from app.sp404.project.pad_sounds import wav_sound

Said = Callable[[int, int], None]


@dataclass(frozen=True)
class CardWork:
    """A card being made: the owner of its kit, the folder for its sounds, whether it is still wanted."""

    user_id: str
    folder: Path
    is_wanted: Callable[[], bool] = lambda: True


def options_for(kit_id: str, work: CardWork, project_number: int, *, draws_screen: bool) -> CardOptions:
    """Return the options of a card. A kit that was imported starts from its project, with its pictures.

    Raises UnitFileError for an unknown project number or a project that can't be read, and StorageError.
    """
    base = kit_bases.fetch_base(kit_id, work.folder)
    if base is None:
        return CardOptions(project_number=project_number, draws_screen=draws_screen)
    return CardOptions(project_number=project_number, base=base.project, kept_sounds=base.sounds)


def write_archive(
    work: CardWork,
    kit: KitDocument,
    targets: Sequence[str],
    options: CardOptions,
    archive: Path,
    said: Said = lambda *_: None,
) -> list[Finding]:
    """Write the ZIP of a card; return what is found in the kit and, by our own reader, in the ZIP.

    `said` is told how many pads are rendered, and of how many. Raises UnitFileError, StorageError and errors
    of the engine.
    """
    sounds, pads = {}, list(_with_samples(kit))
    for number, (pad, document) in enumerate(pads, start=1):
        sounds[pad] = _pad_sound(work, pad, document)
        said(number, len(pads))
    findings = check_kit(kit, sounds, targets)
    remarks = tuple(f"{each.place}: {each.wrong} {each.done}".rstrip() for each in findings)
    _write_zip(build(kit, sounds, targets, replace(options, remarks=remarks)), archive)
    return [*findings, *check_files(archive)]


def _with_samples(kit: KitDocument) -> list[tuple[str, PadDocument]]:
    return [(pad, document) for pad, document in kit.pads.items() if document.sample is not None]


def _pad_sound(work: CardWork, pad: str, document: PadDocument) -> CardSound | MissingSound:
    """Return the sound of a pad on disk, or why there is none."""
    reference = document.sample
    name = reference.name if reference else ""
    sample = db.session.get(Sample, (reference and reference.id) or "", populate_existing=True)
    if sample is None or sample.deleted_at is not None or sample.user_id != work.user_id:
        return MissingSound("gone", name)
    recipe, target = document.settings.recipe, work.folder / f"{pad}.wav"
    is_plain = recipe is None or recipe.changes_nothing
    if is_plain and not sample.fits_a_pad:
        return too_long(sample)
    facts, padding = sample_facts(sample), silence_added(sample) if is_plain else 0
    at_44100 = partial(_render_for_sx, sample, recipe, work, work.folder / "44100.wav")
    try:
        made = pad_renders.fetch_sound(sample, recipe, target, work.is_wanted)
    except RecipeError:
        return unshaped(sample, recipe or RenderRecipe())
    except (UnreadableAudio, ObjectMissingError):
        return MissingSound("unreadable", name)
    return CardSound(
        wav_sound(target),
        **facts | _facts_of_render(facts, made, recipe),
        facts=replace(_measure(target), padding=padding),
        at_44100=at_44100,
    )


def _measure(wav: Path) -> SoundFacts:
    # Measuring needs numpy, which only workers load; this module is loaded by the web process too.
    from app.sp404.preflight.sound_measuring import measure_wav

    return measure_wav(wav)


def _facts_of_render(
    facts: dict[str, Any], made: Render | None, recipe: RenderRecipe | None
) -> dict[str, Any]:
    """Return what is known of the shaped sound instead of its sample."""
    if made is None or recipe is None:
        return {}
    done = tuple(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in made.done)
    return {**shaped_facts(facts, recipe, made.bpm, made.recipe_sha256), "done": done}


def _render_for_sx(sample: Sample, recipe: RenderRecipe | None, work: CardWork, target: Path) -> Path:
    target.unlink(missing_ok=True)
    return pad_renders.render_at_44100(sample, recipe, target, work.is_wanted)


def _write_zip(files: Iterable[CardFile], archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as made:
        for file in files:
            _write_member(made, file)


def _write_member(made: zipfile.ZipFile, file: CardFile) -> None:
    with made.open(file.path, "w", force_zip64=file.size_bytes > 2**31) as out:
        file.write(cast(BinaryIO, out))
