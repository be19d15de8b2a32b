"""Run `python -m app.sp404 write`: write a card from a kit.json and the sounds beside it."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from app.sp404.card.card_builder import build
from app.sp404.card.card_files import write_files
from app.sp404.card.card_options import CardOptions, is_midi_alone
from app.sp404.card.kit_reading import read_kit_file
from app.sp404.card.sound_rendering import render_sounds
from app.sp404.errors import UnitFileError
from app.sp404.preflight.kit_preflight import check_kit


def write_card(options: Namespace) -> int:
    """Write a card from a kit.json; say on stderr what the preflight found. Return the exit code.

    Raises
    ------
    UnitFileError
        The kit or one of its sounds can't be read, or the folder can't be written. Then nothing is left.
    """
    chosen = CardOptions(project_number=options.number)
    kit, files = read_kit_file(options.source)
    if not files and not is_midi_alone(options.target):
        raise UnitFileError("The kit.json names no sound: a sample needs the “path” of its WAV.")
    with TemporaryDirectory(prefix="card-") as folder:
        sounds = render_sounds(kit, files, Path(folder))
        findings = check_kit(kit, sounds, options.target)
        write_files(build(kit, sounds, options.target, chosen), options.out)
    sys.stderr.writelines(f"{finding}\n" for finding in findings)
    return 0
