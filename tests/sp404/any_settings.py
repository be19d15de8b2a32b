"""Any settings that a pad can have, for property tests."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from app.audio.render.recipe import RenderRecipe
from app.audio.unit_format import MAX_FRAMES
from app.sp404 import unit_limits
from app.sp404.pad_settings import PadSettings, read_settings
from app.sp404.unit_limits import Limits

LOADABLE = string.ascii_letters + string.digits + " _!&()+,-.=@[]{}"
RECIPES = [None, RenderRecipe(), RenderRecipe(bpm=90, from_bpm=87.5, reverse=True, onsets=(0.0, 0.5))]


def any_settings() -> st.SearchStrategy[PadSettings]:
    return st.builds(_settings, st.fixed_dictionaries({}, optional=_fields()), _ways_to_play(), _points())


def _settings(*parts: dict[str, Any]) -> PadSettings:
    return read_settings({name: value for part in parts for name, value in part.items()})


def _whole(limits: Limits) -> st.SearchStrategy[int]:
    return st.integers(limits.least, limits.most)


def _hundredths(limits: Limits) -> st.SearchStrategy[float]:
    return st.integers(limits.least * 100, limits.most * 100).map(lambda value: value / 100)


def _fields() -> dict[str, st.SearchStrategy[Any]]:
    return {
        "name": st.text(LOADABLE, max_size=23),
        "level": _whole(unit_limits.LEVEL),
        "pan": _whole(unit_limits.PAN),
        "play_mode": st.sampled_from(unit_limits.PLAY_MODES),
        "mute_group": _whole(unit_limits.GROUP),
        "pad_link": _whole(unit_limits.GROUP),
        "bus": _whole(unit_limits.BUS),
        "roll": st.sampled_from(unit_limits.ROLLS),
        "bpm": _hundredths(unit_limits.TEMPO_BPM),
        "bpm_sync": st.booleans(),
        "pitch": _whole(unit_limits.PITCH_SEMITONES),
        "fine": _whole(unit_limits.FINE_CENTS),
        "speed": _hundredths(unit_limits.SPEED_PERCENT),
        "vinyl": st.booleans(),
        "fixed_velocity": st.booleans(),
        "poly_mode": st.sampled_from(unit_limits.POLY_MODES),
        "attack": _whole(unit_limits.ATTACK),
        "hold": _whole(unit_limits.HOLD_PERCENT),
        "release": _whole(unit_limits.RELEASE),
        "recipe": st.sampled_from(RECIPES),
        "kept": st.binary(max_size=40).map(bytes.hex),
    }


def _ways_to_play() -> st.SearchStrategy[dict[str, bool]]:
    ways = [{"gate": gate, "loop": loop} for gate in (True, False) for loop in (True, False)]
    return st.sampled_from([*ways, {"one_shot": True, "gate": False}])


@st.composite
def _points(draw: st.DrawFn) -> dict[str, Any]:
    """Return start, loop top and end in this order, and rising chops."""
    inner = st.sets(st.integers(1, MAX_FRAMES), min_size=0, max_size=unit_limits.MAX_CHOPS - 1)
    chops = draw(st.one_of(st.just(()), inner.map(lambda found: (0, *sorted(found)))))
    start, top, end = sorted(draw(st.lists(st.integers(0, MAX_FRAMES), min_size=3, max_size=3, unique=True)))
    return {
        "chops": chops,
        "start": start,
        "loop_top": draw(st.sampled_from([None, top])),
        "end": draw(st.sampled_from([None, end])),
    }
