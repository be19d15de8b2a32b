"""Run `python -m app.audio render` and `chop`: shape a file, or cut it into slices."""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.audio.decoding.decoder import DecodedAudio, decode_file
from app.audio.errors import UnreadableAudio
from app.audio.file_report import measure_decoded
from app.audio.render.chop import DEFAULT_SENSITIVITY, chop_recipes, find_chops
from app.audio.render.fitting import fit_recipe
from app.audio.render.recipe import RecipeError, RenderRecipe, read_recipe
from app.audio.render.renderer import render
from app.audio.render.source_part import EmptyPartError
from app.audio.render.wording import describe_render
from app.audio.result import Analysis
from app.audio.unit_format import RATE_HZ
from app.music.musical_keys import key_symbol

TRIM_DB = -60.0


def render_file(options: Namespace) -> int:
    """Shape one file; return the exit code."""
    return _report(options, _render, lambda made: ", ".join(made["done"]) or "as it was")


def chop_file(options: Namespace) -> int:
    """Cut one file into slices; return the exit code."""
    return _report(options, _chop, lambda made: f"{len(made['slices'])} slices")


def _report(
    options: Namespace, run: Callable[[Namespace], dict[str, Any]], to_words: Callable[[dict[str, Any]], str]
) -> int:
    """Run a command and print what it did, or why it could not."""
    try:
        made = run(options)
    except (UnreadableAudio, RecipeError, EmptyPartError, OSError) as error:
        if options.json:
            sys.stdout.write(json.dumps({"path": str(options.source), "error": str(error)}) + "\n")
        else:
            sys.stderr.write(f"{options.source}: {error}\n")
        return 1
    sys.stdout.write((json.dumps(made) if options.json else f"{made['out']}: {to_words(made)}") + "\n")
    return 0


def _render(options: Namespace) -> dict[str, Any]:
    recipe = _recipe_of(options)
    with tempfile.TemporaryDirectory(prefix="audio-") as folder, _fresh_file(options) as target:
        decoded = decode_file(options.source, Path(folder))
        if recipe.bpm or recipe.length_s or recipe.transpose or recipe.whole_beats:
            recipe = fit_recipe(recipe, measure_decoded(decoded, options.source.name))
        done = render(decoded.samples, decoded.sample_rate, recipe, target, Path(folder))
        said = describe_render(recipe, done, len(decoded.samples), decoded.sample_rate)
    return {
        "path": str(options.source),
        "out": str(options.target),
        "frames": done.wav.frames,
        "duration_s": done.wav.frames / RATE_HZ,
        "channels": done.wav.channels,
        "bpm": done.length.bpm,
        "ratio": done.length.ratio,
        "method": recipe.method if done.length.final != done.length.resampled else None,
        "done": said,
        "recipe": recipe.to_dict(),
    }


def _recipe_of(options: Namespace) -> RenderRecipe:
    fields = {name: getattr(options, name) for name in RenderRecipe.model_fields if hasattr(options, name)}
    level, unit = options.normalise or (None, "dBTP")
    more = {"level": level, "level_unit": unit, "trim_db": TRIM_DB if options.trim else None}
    return read_recipe(fields | more)


def _chop(options: Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="audio-") as folder, _fresh_folder(options.target) as target:
        decoded = decode_file(options.source, Path(folder))
        analysis = measure_decoded(decoded, options.source.name)
        sensitivity = DEFAULT_SENSITIVITY if options.sensitivity is None else options.sensitivity
        cuts = find_chops(
            analysis,
            decoded.samples,
            decoded.sample_rate,
            by=options.by,
            count=options.count,
            sensitivity=sensitivity,
        )
        slices = list(_write_slices(decoded, cuts, analysis, options.source.stem, target, Path(folder)))
    return {"path": str(options.source), "out": str(options.target), "by": options.by, "slices": slices}


def _write_slices(
    decoded: DecodedAudio, cuts: tuple[int, ...], analysis: Analysis, stem: str, target: Path, folder: Path
) -> Iterator[dict[str, Any]]:
    facts = f"{analysis.bpm:.0f}" if analysis.bpm else ""
    key = key_symbol(analysis.key).replace("#", "s").replace("♯", "s") if analysis.key else ""
    for number, recipe in enumerate(chop_recipes(cuts, len(decoded.samples)), start=1):
        name = " ".join(part for part in (f"{number:02}", stem, facts, key) if part) + ".wav"
        done = render(decoded.samples, decoded.sample_rate, recipe, target / name, folder)
        start, end = done.start / decoded.sample_rate, done.end / decoded.sample_rate
        yield {"file": name, "start_frame": done.start, "start_s": start, "end_s": end}


@contextmanager
def _fresh_file(options: Namespace) -> Iterator[Path]:
    """Yield a path beside the target, which replaces it when the block succeeds."""
    target: Path = options.target
    if target.exists() and target.samefile(options.source):
        raise RecipeError("The WAV would replace the file it is made from. Give it another name.")
    with tempfile.TemporaryDirectory(prefix=".render-", dir=target.parent) as beside:
        made = Path(beside) / "made.wav"
        yield made
        made.replace(target)


@contextmanager
def _fresh_folder(target: Path) -> Iterator[Path]:
    """Yield a folder whose files move to the target when the block succeeds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".chop-", dir=target.parent) as beside:
        yield Path(beside)
        target.mkdir(exist_ok=True)
        for made in sorted(Path(beside).iterdir()):
            made.replace(target / made.name)
