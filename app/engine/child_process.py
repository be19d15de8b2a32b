"""Measure or shape one file in the child process, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.audio.decoding.decoder import decode_file
from app.audio.errors import UnreadableAudio
from app.audio.file_report import measure_decoded
from app.audio.listening.loudness_meter import measure_loudness
from app.audio.listening.waveform_peaks import draw_waveform
from app.audio.render.recipe import RecipeError, read_recipe
from app.audio.render.renderer import render
from app.audio.render.slice_archive import write_slices
from app.audio.render.slice_set import SliceSet
from app.audio.render.source_part import EmptyPartError
from app.audio.render.wording import describe_render
from app.audio.unit_format import RATE_HZ
from app.audio.wav_writer import write_wav
from app.plurals import pluralize

Progress = Callable[[str, dict[str, Any]], None]


def work_on_file(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Shape a file by the recipe of the request, cut it, or analyse it. Raises UnreadableAudio."""
    if "slices" in request:
        return cut_file(request)
    return render_file(request) if "recipe" in request else analyse_file(request, progress)


def analyse_file(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Decode the file once, write the unit's WAV when one is wanted, report that, then measure.

    `request` has `source` and `rendered`, names in the working folder (`rendered` is None without a WAV), and
    `name`, what the file was called when it was uploaded. Returns the plain JSON of the analysis, and of what
    the WAV writer reported as `sp404`. Raises UnreadableAudio.
    """
    folder, written = Path.cwd(), {}
    decoded = decode_file(folder / request["source"], folder)
    if request["rendered"] is not None:
        wav = write_wav(decoded.samples, decoded.sample_rate, folder / request["rendered"])
        written = {"sp404": wav.to_dict()}
        progress("decoded", {})
    return measure_decoded(decoded, request["name"]).to_dict() | written


def render_file(request: dict[str, Any]) -> dict[str, Any]:
    """Write the WAV of a recipe, and say what was done.

    `request` has `source` and `rendered`, names in the working folder, `recipe`, its plain JSON, and
    `rate_hz`, the rate of the WAV. The figures of the answer are those at 48 kHz. A recipe that does not suit
    the sound raises UnreadableAudio too, with a sentence: trying again would not help.
    """
    folder = Path.cwd()
    decoded = decode_file(folder / request["source"], folder)
    try:
        recipe = read_recipe(request["recipe"])
        target = folder / request["rendered"]
        done = render(decoded.samples, decoded.sample_rate, recipe, target, folder)
    except (RecipeError, EmptyPartError) as error:
        raise UnreadableAudio(str(error)) from error
    made = decode_file(target, folder).samples
    if request.get("rate_hz", RATE_HZ) != RATE_HZ:
        again = decoded if recipe.changes_nothing else decode_file(target, folder)
        write_wav(again.samples, again.sample_rate, target, rate_hz=request["rate_hz"])
    return {
        "done": describe_render(recipe, done, len(decoded.samples), decoded.sample_rate),
        "frames": done.wav.frames,
        "channels": done.wav.channels,
        "bpm": done.length.bpm,
        "loudness_db": measure_loudness(made, RATE_HZ).loudness_db,
        "peaks": list(draw_waveform(made)[0]),
    }


def cut_file(request: dict[str, Any]) -> dict[str, Any]:
    """Write the slices of a sound as one ZIP, from one decoding.

    `request` has `source` and `rendered`, names in the working folder, and `slices`, the plain JSON of a
    `SliceSet`. Slices outside the sound raise UnreadableAudio too.
    """
    folder = Path.cwd()
    decoded = decode_file(folder / request["source"], folder)
    slices = SliceSet.model_validate(request["slices"])
    try:
        made = write_slices(decoded, slices, folder / request["rendered"], folder)
    except EmptyPartError as error:
        raise UnreadableAudio(str(error)) from error
    return {
        "done": [f"cut into {pluralize(len(made), 'slice')}"],
        "frames": sum(each.wav.frames for each in made),
        "channels": made[0].wav.channels,
        "bpm": None,
        "loudness_db": None,
        "peaks": [],
    }
