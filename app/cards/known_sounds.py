"""What is known of the sounds of a kit without decoding them: from their samples and their recipes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import defer, joinedload, lazyload

from app.audio.render.fitting import expected_length
from app.audio.render.recipe import RecipeError, RenderRecipe
from app.audio.unit_format import MIN_FRAMES, RATE_HZ
from app.extensions import db
from app.models import Render, Sample
from app.shaping import orders
from app.sp404.card.card_sounds import CardSound, MissingReason, MissingSound
from app.sp404.card.sound_facts import SoundFacts
from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocument
from app.sp404.project.pad_sounds import SmpSound
from app.sp404.project.smp_files import HEADER_BYTES, SAMPLE_BYTES, SmpHeader
from app.sp404.unit_limits import fits_on_pad

SURE = 0.5  # the confidence from which a tempo is written as sure


@dataclass(frozen=True)
class KnownSounds:
    """The sounds of a kit by pads, and those pads whose length is known only after rendering."""

    sounds: Mapping[str, CardSound | MissingSound]
    unsure: frozenset[str]


def load_card_samples(user_id: str, ids: Collection[str]) -> dict[str, Sample]:
    """Return the user's samples with these ids and their measurements, without those in the trash."""
    own = Sample.user_id == user_id, Sample.id.in_(ids), Sample.deleted_at.is_(None)
    loaded = joinedload(Sample.features), lazyload(Sample.tags)
    return {each.id: each for each in db.session.scalars(select(Sample).where(*own).options(*loaded))}


def known_sounds(kit: KitDocument, samples: Mapping[str, Sample]) -> KnownSounds:
    """Return what is known of the sounds of a kit, whose samples are given by id."""
    sounds: dict[str, CardSound | MissingSound] = {}
    trimmed: dict[str, tuple[Sample, RenderRecipe]] = {}
    for pad, document in kit.pads.items():
        if document.sample is None:
            continue
        sample, recipe = samples.get(document.sample.id or ""), document.settings.recipe
        if sample is None:
            sounds[pad] = MissingSound("gone", document.sample.name)
        elif recipe is None or recipe.changes_nothing:
            sounds[pad] = _plain_sound(sample)
        else:
            sounds[pad] = _shaped_sound(sample, recipe)
            if recipe.trim_db is not None and isinstance(sounds[pad], CardSound):
                trimmed[pad] = sample, orders.fit_to(sample, recipe)
    kept = _kept_sounds(trimmed)
    return KnownSounds(sounds | kept, frozenset(trimmed) - frozenset(kept))


def unshaped(sample: Sample, recipe: RenderRecipe) -> MissingSound:
    """Return why a recipe can't be followed: the part it uses is too long, or it does not suit the sample."""
    rate_hz = sample.features.sample_rate
    end_s = min(sample.duration_s, recipe.end / rate_hz if recipe.end else sample.duration_s)
    reason: MissingReason = "unfit" if fits_on_pad(end_s - recipe.start / rate_hz) else "too long"
    return MissingSound(reason, sample.name, rate_hz)


def too_long(sample: Sample) -> MissingSound:
    """Return that a sample is too long for a pad as it is."""
    return MissingSound("too long", sample.name, sample.features.sample_rate)


def sample_facts(sample: Sample) -> dict[str, Any]:
    """Return what is known of a sample, by the names of `CardSound`; corrections count as sure."""
    features = sample.features
    confidence = 1.0 if "bpm" in sample.corrections else features.bpm_confidence
    rate_hz = features.sample_rate
    return {
        "name": sample.name,
        "kind": sample.kind,
        "sound_class": sample.sound,
        "bpm": sample.bpm,
        "tempo_is_sure": sample.bpm is not None and confidence >= SURE,
        "key": sample.key,
        "digest": sample.content_sha256,
        "done": () if rate_hz == RATE_HZ else (f"Converted from {rate_hz / 1000:g} kHz.",),
    }


def shaped_facts(
    facts: Mapping[str, Any], recipe: RenderRecipe, bpm: float | None, recipe_sha256: str
) -> dict[str, Any]:
    """Return what is known of a shaped sound in place of the facts of its sample."""
    moves_key = bool(recipe.transpose) or recipe.speed != 1
    return {
        "bpm": bpm or (facts["bpm"] if recipe.speed == 1 else None),
        "key": None if moves_key else facts["key"],
        "digest": f"{facts['digest']}-{recipe_sha256}",
    }


def silence_added(sample: Sample) -> int:
    """Return how many frames of silence were added to the WAV of a sample, because it was too short."""
    return int(_written(sample).get("padded_frames", 0))


def _plain_sound(sample: Sample) -> CardSound | MissingSound:
    if not sample.fits_a_pad:
        return too_long(sample)
    written = _written(sample)
    frames = int(written.get("frames") or max(round(sample.duration_s * RATE_HZ), MIN_FRAMES))
    channels = int(written.get("channels") or sample.features.channels)
    peak_db = sample.features.measured.get("peak_db")
    facts = SoundFacts(1.0 if peak_db is None else 10 ** (peak_db / 20), padding=silence_added(sample))
    return CardSound(_unread(frames, channels), **sample_facts(sample), facts=facts)


def _shaped_sound(sample: Sample, recipe: RenderRecipe) -> CardSound | MissingSound:
    """Return a sound as it will be shaped; of one that is trimmed, the length before that is given."""
    try:
        fitted = orders.fit_to(sample, recipe)
        length = expected_length(fitted, orders.analysis_in_force(sample))
    except RecipeError:
        return unshaped(sample, recipe)
    facts = sample_facts(sample)
    frames = length.final if length else round(sample.duration_s * RATE_HZ)
    is_mono = fitted.mono not in ("", "auto")
    shaped = shaped_facts(facts, fitted, length.bpm if length else None, fitted.digest())
    audio = _unread(max(frames, fitted.min_frames), 1 if is_mono else sample.features.channels)
    return CardSound(audio, **facts | shaped)


def _kept_sounds(trimmed: Mapping[str, tuple[Sample, RenderRecipe]]) -> dict[str, CardSound]:
    """Return those trimmed sounds that are kept from an earlier render, with their real length."""
    if not trimmed:
        return {}
    digests = {pad: fitted.digest() for pad, (_, fitted) in trimmed.items()}
    same = Render.recipe_sha256.in_(set(digests.values()))
    own = Render.sample_id.in_({sample.id for sample, _ in trimmed.values()})
    rows = db.session.scalars(select(Render).where(own, same).options(defer(Render.peaks)))
    kept = {(row.sample_id, row.recipe_sha256): row for row in rows}
    found = {}
    for pad, (sample, fitted) in trimmed.items():
        made = kept.get((sample.id, digests[pad]))
        if made is not None:
            facts = sample_facts(sample)
            shaped = shaped_facts(facts, fitted, made.bpm, made.recipe_sha256)
            found[pad] = CardSound(_unread(made.frames, made.channels), **facts | shaped)
    return found


def _written(sample: Sample) -> Mapping[str, Any]:
    """Return what the engine said of the unit's WAV of a sample."""
    written: Mapping[str, Any] = sample.features.measured.get("sp404") or {}
    return written


def _unread(frames: int, channels: int) -> SmpSound:
    """Return a sound of this size, which can be checked and not written."""
    held = min(channels, 2)
    return SmpSound(SmpHeader(HEADER_BYTES + max(frames, 1) * held * SAMPLE_BYTES, held), _refuse)


def _refuse() -> BinaryIO:
    raise UnitFileError("This sound has not been fetched from the store.")
