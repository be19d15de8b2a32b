"""Render a recipe: one decode before it, one resample in it, one dither at its end.

The order is fixed: part, channels, silence, whole beats, offset, pitch and speed with the resample to 48 kHz,
stretch, reverse, fades, level, shortest length, dither.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.audio.acid_chunk import StatedTempo, state_tempo
from app.audio.decoding.scratch_file import SampleSource, ScratchWriter
from app.audio.listening.loudness_meter import FLOOR_DB, measure_loudness
from app.audio.render.finish import FinishedSound
from app.audio.render.recipe import LUFS, PEAK, SLICES, TRUE_PEAK, RenderRecipe
from app.audio.render.slice_stretch import move_slices
from app.audio.render.source_part import SourcePart, choose_part
from app.audio.render.stretch_length import StretchLength, stretch_length, whole_beats
from app.audio.render.whole_stretch import stretch_whole
from app.audio.result import WrittenWav
from app.audio.unit_format import RATE_HZ
from app.audio.wav_writer import resampled_blocks, write_wav

MAX_FRAMES_OFF = 2
"""How far a loop may be from its beats. A cut to whole beats is exact to a frame of the original."""


@dataclass(frozen=True)
class Rendered:
    """The result of a render: the WAV, the part it was made of, and what changed.

    Attributes
    ----------
    wav : WrittenWav
    start, end : int
        The part of the original, in frames at its own rate.
    length : StretchLength
    mono : str
        "" when the channels stayed.
    level_db : float
        What was added to reach the level, with the gain.
    """

    wav: WrittenWav
    start: int
    end: int
    length: StretchLength
    mono: str = ""
    level_db: float = 0.0


def render(sound: SampleSource, sample_rate: int, recipe: RenderRecipe, path: Path, folder: Path) -> Rendered:
    """Write a sound as the unit's WAV, shaped by a recipe.

    Parameters
    ----------
    sound : SampleSource, float32
        Shape (frames, channels), full scale ±1.
    sample_rate : int
        In Hz.
    recipe : RenderRecipe
        One that changes nothing gives the same bytes as `wav_writer.write_wav`.
    path : Path
        Where the WAV goes. An existing file is replaced.
    folder : Path
        A private folder for samples between two steps.

    Returns
    -------
    Rendered

    Raises
    ------
    EmptyPartError, RecipeError
        Nothing is left of the sound, or the recipe does not suit it; the messages are for a producer.

    Notes
    -----
    Only stretching holds a sound in memory, which is why it has a limit of length. A result of whole beats
    at a tempo that was asked for states both in an `acid` chunk behind the sound, so that programs need not
    guess them.
    """
    if recipe.changes_nothing:
        frames = round(len(sound) * RATE_HZ / sample_rate)
        length = StretchLength(frames, frames, float(sample_rate))
        return Rendered(write_wav(sound, sample_rate, path), 0, len(sound), length)
    part = choose_part(sound, sample_rate, recipe)
    if recipe.whole_beats:  # fewer are left where silence was cut
        beats = whole_beats(len(part), sample_rate, recipe.known_tempo)
        recipe = recipe.model_copy(update={"beats": beats})
    length = stretch_length(len(part), sample_rate, recipe)
    at_48k = _resample(part, length, folder)
    finished = _fade(_stretch(at_48k, part, sample_rate, recipe, length), recipe)
    gain_db = _gain_db(finished, recipe)
    finished = replace(finished, gain=10 ** (gain_db / 20) if gain_db else 1.0)
    wav = write_wav(finished, RATE_HZ, path, recipe.min_frames)
    if (tempo := _tempo_to_state(recipe, length, wav.frames)) is not None:
        state_tempo(path, tempo)
    return Rendered(wav, part.start, part.end, length, part.mono, gain_db)


def _tempo_to_state(recipe: RenderRecipe, length: StretchLength, frames: int) -> StatedTempo | None:
    """Return the tempo of a result that was brought to one in whole beats; None for others."""
    if recipe.bpm is None or recipe.beats is None or length.bpm is None:
        return None
    is_whole = abs(frames - recipe.beats * 60 * RATE_HZ / length.bpm) <= MAX_FRAMES_OFF
    return StatedTempo(length.bpm, recipe.beats) if is_whole else None


def _resample(part: SourcePart, length: StretchLength, folder: Path) -> SampleSource:
    """Return the part at 48 kHz with its new pitch and speed, on disk unless nothing changes."""
    if length.played_rate == RATE_HZ:
        return part
    with ScratchWriter(folder / "resampled.f32", part.shape[1]) as scratch:
        for block in resampled_blocks(part, length.played_rate):
            scratch.write(block[: length.resampled - scratch.frames])
        missing = length.resampled - scratch.frames
        scratch.write(np.zeros((missing, part.shape[1]), dtype=np.float32))
        return scratch.recording()


def _stretch(
    sound: SampleSource, part: SourcePart, sample_rate: int, recipe: RenderRecipe, length: StretchLength
) -> SampleSource:
    """Return the sound with its final length."""
    if length.final == length.resampled:
        return sound
    whole = sound[0 : length.resampled]
    if recipe.method != SLICES:
        return stretch_whole(whole, length.final, RATE_HZ)
    onsets = [
        round((onset * sample_rate - part.start) * RATE_HZ / length.played_rate) for onset in recipe.onsets
    ]
    return move_slices(whole, onsets, length.final, RATE_HZ)


def _fade(sound: SampleSource, recipe: RenderRecipe) -> FinishedSound:
    fade_in, fade_out = (
        min(round(ms * RATE_HZ / 1000), len(sound)) for ms in (recipe.fade_in_ms, recipe.fade_out_ms)
    )
    return FinishedSound(sound, recipe.reverse, fade_in, fade_out, recipe.fade_curve)


def _gain_db(sound: SampleSource, recipe: RenderRecipe) -> float:
    """Return what to add for the level that is wanted; silence is left as it is."""
    if recipe.level is None:
        return recipe.gain_db
    found = measure_loudness(sound, RATE_HZ)
    now = {PEAK: found.peak_db, TRUE_PEAK: found.true_peak_db, LUFS: found.loudness_db}[recipe.level_unit]
    return recipe.gain_db + (recipe.level - now if now > FLOOR_DB else 0.0)
