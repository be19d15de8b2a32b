"""The waveform of a pad, with the hits it snaps to, and the frames where a cut makes no click."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.audio.render.recipe import RenderRecipe
from app.extensions import db
from app.jobs import run
from app.kits import history, pad_edits, pad_waves
from app.kits.kit_rows import load_state
from app.models import Kit, Sample, User
from app.shaping import orders
from app.shaping.chops import WavFrames
from app.sp404.pad_settings import PadSettings
from tests.kits.stock import kit_of
from tests.support import Browser, drum_loop, finished_job


@pytest.fixture
def loop(owner: User, as_owner: Browser) -> Sample:
    return db.session.get_one(Sample, finished_job(as_owner, "loop.wav", drum_loop(93)).id)


def test_the_panel_draws_the_sound_and_snaps_to_its_zero_crossings(
    as_owner: Browser, owner: User, loop: Sample
) -> None:
    kit = kit_of(owner, A1=loop)
    page = as_owner.get(f"/kits/{kit.id}/pads/A1").text
    frames = len(WavFrames(loop.sp404_key))
    assert f'data-frames="{frames}"' in page
    (onsets,) = re.findall(r'data-onsets="([\d ]+)"', page)
    assert len(onsets.split()) > 4
    sound, url = WavFrames(loop.sp404_key), f"/kits/{kit.id}/pads/A1/snap"
    for asked in (12_345, 30_001):
        found = snapped(as_owner, f"{url}?frame={asked}")
        assert abs(found - asked) <= 96
        (before, at) = (sum(frame) for frame in sound[found - 1 : found + 1])
        assert before * at <= 0
    assert snapped(as_owner, f"{url}?frame=99999999") == frames
    assert snapped(as_owner, f"{url}?frame=x") == 0
    assert as_owner.get(f"/kits/{kit.id}/pads/A2/snap?frame=1").status_code == 404


def test_a_shaped_sound_has_positions_once_it_was_made(owner: User, loop: Sample) -> None:
    kit, recipe = kit_of(owner, A1=loop), RenderRecipe(start=0, end=20_000)
    settings = shape(kit, recipe)
    assert pad_waves.load_wave(loop, settings).frames is None
    assert pad_waves.snap_frame(loop, settings, 777) == 777
    made = orders.order_preview(owner, loop, recipe)
    run.run_next()
    wave = pad_waves.load_wave(loop, settings)
    assert (wave.frames or 0) > 0
    assert wave.onsets == ()
    assert pad_waves.snap_frame(loop, settings, 10**6) == wave.frames
    assert made.sample_id == loop.id


def shape(kit: Kit, recipe: RenderRecipe) -> PadSettings:
    history.change_kit(kit, "Shape", pad_edits.change_settings("A1", {"recipe": recipe.to_dict()}))
    return load_state(kit).pad("A1").settings


def snapped(browser: Browser, url: str) -> int:
    answer: Any = browser.get(url).json
    return int(answer["frame"])
