"""Say what a fix of the preflight does, as the words of its button."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.plurals import join_words, pluralize
from app.sp404.preflight.findings import Fix
from app.sp404.unit_limits import BANKS

_Values = Mapping[str, Any]


def describe_fix(fix: Fix) -> str:
    """Return what a fix does, such as ``Rename to “Dusty kick-2”``.

    Parameters
    ----------
    fix : Fix
    """
    words = WORDS[fix.action]
    if isinstance(words, str):
        return words
    return words(fix, {**fix.settings.get(fix.pad, {}), **fix.recipes.get(fix.pad, {})})


def _rename(_: Fix, values: _Values) -> str:
    return f"Rename to “{values['name']}”"


def _set_tempo(_: Fix, values: _Values) -> str:
    return f"Set {values['bpm']:g} BPM"


def _stretch(_: Fix, values: _Values) -> str:
    return f"Stretch to {values['bpm']:g} BPM"


def _fit_beats(_: Fix, values: _Values) -> str:
    return f"Stretch to {pluralize(values['beats'], 'beat')} of {values['bpm']:g} BPM"


def _choke(fix: Fix, values: _Values) -> str:
    group = BANKS[values["mute_group"] - 1]
    return f"Put {join_words(sorted(fix.settings))} into mute group {group}"


def _close_gaps(fix: Fix, _: _Values) -> str:
    moves = join_words([f"{old} to {new}" for old, new in fix.banks.items()])
    return f"Move bank{'s' if len(fix.banks) > 1 else ''} {moves}"


def _keep_chops(_: Fix, values: _Values) -> str:
    count = len(values["chops"])
    return f"Keep the first {pluralize(count, 'chop')}" if count else "Remove the chops"


def _move_points(_: Fix, values: _Values) -> str:
    return f"Reset {join_words([name.replace('_', ' ') for name in values])}"


WORDS: Mapping[str, str | Callable[[Fix, _Values], str]] = {
    "add_silence": "Add silence",
    "choke_hat": _choke,
    "clear_pad": "Clear the pad",
    "close_gaps": _close_gaps,
    "cut_length": "Cut to 16 minutes",
    "cut_unshaped": "Cut to 16 minutes, without shaping",
    "drop_chops": _keep_chops,
    "drop_kept": "Remove it",
    "drop_recipe": "Stop shaping it",
    "fit_beats": _fit_beats,
    "limit_stretch": _stretch,
    "make_mono": "Make it mono",
    "move_points": _move_points,
    "remove_offset": "Remove the DC offset",
    "rename": _rename,
    "set_tempo": _set_tempo,
    "shorten_name": _rename,
    "stretch_to_tempo": _stretch,
    "sync_off": "Turn BPM sync off",
}
