"""Unpack sounds of a ZIP in a child of this process, within limits."""

from __future__ import annotations

import atexit
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from app.sandbox.errors import EngineCrashed
from app.sandbox.runner import ChildLimits, Sandbox

CANCEL_CHECK_S = 0.25
LIMITS = ChildLimits(memory_bytes=2**30, cpu_s=300)
SOUND_SANDBOX = Sandbox("app.sp404.importing.sound_unpacking:unpack_in_child", limits=LIMITS)
atexit.register(SOUND_SANDBOX.close)


def unpack_some(
    source: Path, numbers: Sequence[int], limit_s: float, still_wanted: Callable[[], bool]
) -> dict[int, str]:
    """Unpack sounds of a ZIP beside it, each into a file that is called by its number.

    Returns a sentence for each that can't be read. Raises EngineCancelled when they are no longer wanted,
    and other EngineErrors when the child failed.
    """
    answer = SOUND_SANDBOX.run(
        {"source": source.name, "numbers": list(numbers)},
        folder=source.parent,
        timeout_s=limit_s,
        tick=still_wanted,
        tick_s=CANCEL_CHECK_S,
    )
    problems = {int(number): str(sentence) for number, sentence in answer["problems"].items()}
    for number in numbers:
        if number not in problems:
            _check_made(source.parent / str(number))
    return problems


def _check_made(file: Path) -> None:
    """Trust no file of the child, which has read a stranger's ZIP: a link would lead out of the folder."""
    try:
        is_file = stat.S_ISREG(file.lstat().st_mode)
    except FileNotFoundError:
        is_file = False
    if not is_file:
        raise EngineCrashed("the child did not make the file it named")
