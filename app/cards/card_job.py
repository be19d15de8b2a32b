"""The job that makes a card of a kit: it renders the pads, checks and writes the files, and keeps the ZIP."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from app.audio.errors import UnreadableAudio
from app.audio.render.recipe import RecipeError, RenderRecipe
from app.audio.unit_format import RATE_HZ
from app.billing import quota
from app.extensions import db, settings
from app.integrations.storage import ObjectMissingError, open_store
from app.jobs.purposes import Results, StepInput
from app.kits import kit_bases
from app.models import CardExport, Job, Kit, Render, Sample
from app.models.usage import EXPORT
from app.shaping import pad_renders
from app.sp404.card.card_builder import build
from app.sp404.card.card_files import CardFile
from app.sp404.card.card_options import CardOptions
from app.sp404.card.card_sounds import CardSound, MissingSound
from app.sp404.card.sound_facts import SoundFacts
from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocument, PadDocument, read_kit
from app.sp404.preflight.card_check import check_files
from app.sp404.project.pad_sounds import wav_sound

ZIP_MIME = "application/zip"
KIT_ID, KIT, TARGETS, PROJECT = "kit_id", "kit", "targets", "project_number"
SURE = 0.5  # the confidence from which a tempo is written as sure
PADS_DONE = "pads_done"  # early results: how many pads are rendered
Said = Callable[[int], None]


def make_card(work: StepInput, said: Said) -> dict[str, Any]:
    """Make the ZIP of a card and put it into the store; `said` is told how many pads are rendered."""
    choices = work.claim.choices
    kit = read_kit(choices[KIT])
    sounds = {}
    for number, (pad, document) in enumerate(_with_samples(kit), start=1):
        sounds[pad] = _pad_sound(work, pad, document)
        said(number)
    archive = work.folder / "card.zip"
    try:
        options = _options(choices, work.folder)
        _write_zip(build(kit, sounds, choices[TARGETS], options), archive)
        findings = check_files(archive)
    except UnitFileError as error:
        raise UnreadableAudio(str(error)) from error
    open_store(settings()).put(work.claim.made_key, archive, ZIP_MIME)
    return {
        "size_bytes": archive.stat().st_size,
        "findings": [finding.to_dict() for finding in findings],
    }


def _options(choices: Mapping[str, Any], folder: Path) -> CardOptions:
    """Return the options of a card; a kit that was brought back starts from its project."""
    base = kit_bases.fetch_base(choices[KIT_ID], folder)
    if base is None:
        return CardOptions(project_number=choices[PROJECT], draws_screen=True)
    return CardOptions(project_number=choices[PROJECT], base=base.project, kept_sounds=base.sounds)


def finish_card(job: Job, results: Results) -> None:
    """Keep the ZIP and count the export."""
    made, choices = results["card"], job.choices or {}
    kit = db.session.get(Kit, choices[KIT_ID])
    db.session.add(
        CardExport(
            id=job.id,
            user_id=job.user_id,
            kit_id=kit.id if kit is not None else None,
            kit_name=read_kit(choices[KIT]).name,
            targets=choices[TARGETS],
            findings=made["findings"],
            store_key=job.made_key,
            size_bytes=made["size_bytes"],
        )
    )
    quota.add_usage(job.user_id, EXPORT, f"card:{job.id}", 1)


def _with_samples(kit: KitDocument) -> list[tuple[str, PadDocument]]:
    return [(pad, document) for pad, document in kit.pads.items() if document.sample is not None]


def _pad_sound(work: StepInput, pad: str, document: PadDocument) -> CardSound | MissingSound:
    """Return the sound of a pad on disk, or why there is none."""
    reference = document.sample
    name = reference.name if reference else ""
    sample = db.session.get(Sample, (reference and reference.id) or "", populate_existing=True)
    if sample is None or sample.deleted_at is not None or sample.user_id != work.claim.user_id:
        return MissingSound("gone", name)
    if not sample.fits_a_pad:
        return MissingSound("too long", sample.name, sample.features.sample_rate)
    recipe, target = document.settings.recipe, work.folder / f"{pad}.wav"
    facts = _sample_facts(sample)
    at_44100 = partial(_render_for_sx, sample, recipe, work, work.folder / "44100.wav")
    try:
        made = pad_renders.fetch_sound(sample, recipe, target, work.is_held)
    except (UnreadableAudio, RecipeError, ObjectMissingError):
        return MissingSound("unreadable", name)
    return CardSound(
        wav_sound(target),
        **facts | _shaped_facts(facts, made, recipe),
        facts=_measure(target),
        at_44100=at_44100,
    )


def _measure(wav: Path) -> SoundFacts:
    # Measuring needs numpy, which only workers load; this module is loaded by the web process too.
    from app.sp404.preflight.sound_measuring import measure_wav

    return measure_wav(wav)


def _sample_facts(sample: Sample) -> dict[str, Any]:
    measured = sample.corrected_analysis()
    rate_hz = measured.sample_rate
    return {
        "name": sample.name,
        "kind": sample.kind,
        "sound_class": sample.sound,
        "bpm": sample.bpm,
        "tempo_is_sure": sample.bpm is not None and measured.bpm_confidence >= SURE,
        "key": sample.key,
        "digest": sample.content_sha256,
        "done": () if rate_hz == RATE_HZ else (f"Converted from {rate_hz / 1000:g} kHz.",),
    }


def _shaped_facts(facts: dict[str, Any], made: Render | None, recipe: RenderRecipe | None) -> dict[str, Any]:
    """Return what is known of the shaped sound instead of its sample."""
    if made is None or recipe is None:
        return {}
    moves_key = bool(recipe.transpose) or recipe.speed != 1
    return {
        "bpm": made.bpm or (facts["bpm"] if recipe.speed == 1 else None),
        "key": None if moves_key else facts["key"],
        "digest": f"{facts['digest']}-{made.recipe_sha256}",
        "done": tuple(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in made.done),
    }


def _render_for_sx(sample: Sample, recipe: RenderRecipe | None, work: StepInput, target: Path) -> Path:
    target.unlink(missing_ok=True)
    return pad_renders.render_at_44100(sample, recipe, target, work.is_held)


def _write_zip(files: Any, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as made:
        for file in files:
            _write_member(made, file)


def _write_member(made: zipfile.ZipFile, file: CardFile) -> None:
    with made.open(file.path, "w", force_zip64=file.size_bytes > 2**31) as out:
        file.write(cast(BinaryIO, out))
