"""Render the sounds of a kit.json for a card. This loads the engine, so the web process never imports it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from app.audio.decoding.decoder import decode_file
from app.audio.errors import UnreadableAudio
from app.audio.render.recipe import RecipeError, RenderRecipe
from app.audio.render.renderer import Rendered, render
from app.audio.render.source_part import EmptyPartError
from app.audio.unit_format import MIN_FRAMES, RATE_HZ
from app.audio.wav_writer import write_wav
from app.sp404.card.card_sounds import CardSound
from app.sp404.card.sx_card import SX_RATE_HZ
from app.sp404.errors import UnitFileError
from app.sp404.kit_document import KitDocument
from app.sp404.preflight.sound_measuring import measure_wav
from app.sp404.project.pad_sounds import wav_sound

SX_MIN_FRAMES = MIN_FRAMES * SX_RATE_HZ // RATE_HZ


def render_sounds(kit: KitDocument, files: dict[str, Path], folder: Path) -> dict[str, CardSound]:
    """Return the sounds of a kit, rendered by the recipes of its pads.

    Parameters
    ----------
    kit : KitDocument
    files : dict of str to Path
        The originals by pads, in any format that the engine reads.
    folder : Path
        For the rendered WAVs. The sounds are read from it until the card is written.

    Raises
    ------
    UnitFileError
        A sound can't be read or rendered; the message names the pad.
    """
    return {pad: _render_pad(kit, pad, path, folder) for pad, path in files.items()}


def _render_pad(kit: KitDocument, pad: str, path: Path, folder: Path) -> CardSound:
    document = kit.pads[pad]
    recipe = document.settings.recipe or RenderRecipe()
    target = folder / f"{pad}.wav"
    try:
        done, source_rate = _render_file(path, recipe, target)
    except (UnreadableAudio, RecipeError, EmptyPartError) as error:
        raise UnitFileError(f"{pad}: {error}") from error
    original = path if recipe.changes_nothing else target
    return CardSound(
        wav_sound(target),
        name=document.sample.name if document.sample and document.sample.name else path.stem,
        bpm=done.length.bpm,
        tempo_is_sure=done.length.bpm is not None,
        facts=replace(measure_wav(target), padding=done.wav.padded_frames),
        done=_said_of(done, source_rate),
        at_44100=partial(_render_at_44100, original, folder / "44100.wav"),
    )


def _render_file(path: Path, recipe: RenderRecipe, target: Path) -> tuple[Rendered, int]:
    with TemporaryDirectory(prefix="card-") as scratch:
        decoded = decode_file(path, Path(scratch))
        done = render(decoded.samples, decoded.sample_rate, recipe, target, Path(scratch))
    return done, decoded.sample_rate


def _render_at_44100(original: Path, target: Path) -> Path:
    """Return the sound at the rate of the SP-404SX: from the original, or from what its recipe made of it."""
    with TemporaryDirectory(prefix="card-") as scratch:
        decoded = decode_file(original, Path(scratch))
        write_wav(decoded.samples, decoded.sample_rate, target, SX_MIN_FRAMES, SX_RATE_HZ)
    return target


def _said_of(done: Rendered, source_rate: int) -> tuple[str, ...]:
    """Return what rendering did, in sentences."""
    said = []
    if source_rate != RATE_HZ:
        said.append(f"Converted from {source_rate / 1000:g} kHz.")
    if done.length.final != done.length.resampled:
        said.append(f"Stretched to {done.length.ratio:.1%} of its length.")
    if done.wav.padded_frames:
        said.append(f"{done.wav.padded_frames:,} frames of silence added: the unit needs 0.1 s.")
    if done.mono:
        said.append("Made mono.")
    return tuple(said)
