"""Write the slices of one sound as WAVs into one ZIP."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from app.audio.decoding.decoder import DecodedAudio
from app.audio.render.chop import chop_recipes
from app.audio.render.renderer import Rendered, render
from app.audio.render.slice_set import SliceSet
from app.audio.render.source_part import EMPTY_PART, EmptyPartError


def write_slices(sound: DecodedAudio, slices: SliceSet, archive: Path, folder: Path) -> list[Rendered]:
    """Write the slices of a sound into a ZIP, without compressing them.

    Parameters
    ----------
    sound : DecodedAudio
    slices : SliceSet
    archive : Path
        Where the ZIP goes. An existing file is replaced.
    folder : Path
        A private folder for one slice at a time.

    Returns
    -------
    list of Rendered
        One for each slice.

    Raises
    ------
    EmptyPartError
        A slice would begin after the end of the sound; the message is for a producer.
    """
    frames, wav, made = len(sound.samples), folder / "slice.wav", []
    if slices.cuts[-1] >= frames:
        raise EmptyPartError(EMPTY_PART)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as members:
        for name, recipe in zip(slices.names, chop_recipes(slices.cuts, frames), strict=True):
            made.append(render(sound.samples, sound.sample_rate, recipe, wav, folder))
            with wav.open("rb") as source, members.open(name, "w") as target:
                shutil.copyfileobj(source, target)
    wav.unlink()
    return made
