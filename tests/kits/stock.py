"""Samples and kits for tests, made without the engine."""

from __future__ import annotations

from typing import Any

from app.kits import history, kit_list, pad_edits
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.models import Kit, Sample, User
from tests.search.test_text_conditions import shelve
from tests.support import Browser


def some_samples(owner: User, count: int = 3) -> list[Sample]:
    return list(shelve(owner, {f"Sound {number}": {} for number in range(1, count + 1)}).values())


def kit_of(owner: User, **samples: Sample) -> Kit:
    """Return a kit with samples on pads."""
    kit = kit_list.create_kit(owner, KitState("Dusty kit"))
    for pad, sample in samples.items():
        assert history.change_kit(
            kit, f"Place on {pad}", pad_edits.place(pad, pad_edits.pad_for_sample(sample))
        )
    return kit


def held_ids(kit: Kit) -> dict[str, str | None]:
    """Return the sample of each pad of a kit."""
    return {name: pad.sample_id for name, pad in load_state(kit).pads.items()}


def post_pad(browser: Browser, kit: Kit, end: str = "", pad: str = "A1", **form: Any) -> Any:
    sent = {"revision": kit.revision} | form
    return browser.post(f"/kits/{kit.id}/pads/{pad}{end}", **sent)
