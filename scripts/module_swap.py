"""Put another source into a module that is loaded already."""

from __future__ import annotations

import sys
from types import ModuleType


def swap_module(module: ModuleType, source: str) -> None:
    """Replace the functions and classes of a module by those of another source.

    Modules and tests that have imported one of them get the new one. Subclasses and tables that were made of
    the old ones stay as they are.
    """
    before = dict(vars(module))
    exec(compile(source, str(module.__file__), "exec"), vars(module))  # noqa: S102 - our own module, one fault apart
    after = vars(module)
    changed = {
        name: old
        for name, old in before.items()
        if not name.startswith("__") and name in after and after[name] is not old
    }
    for name, other in list(sys.modules.items()):
        if name.partition(".")[0] in ("app", "tasks", "tests") and other is not module:
            for key in changed.keys() & vars(other).keys():
                if vars(other)[key] is changed[key]:
                    setattr(other, key, after[key])


def forget_kept(module: ModuleType) -> None:
    """Let the functions of a module that keep their results, such as statements, work again.

    Otherwise only the first test would seem to run their lines.
    """
    for value in vars(module).values():
        if hasattr(type(value), "cache_clear"):  # of its type: a proxy may stand for nothing now
            value.cache_clear()
