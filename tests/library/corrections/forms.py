"""Send the forms that correct a sample, and read what its page shows."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from werkzeug.test import TestResponse

from app.models import Sample
from tests.support import Browser

DESCRIBED: dict[str, Any] = {
    "moods": ["dark", "tense"],
    "energy": 40,
    "texture": "warm",
    "era": "any",
    "genres": [{"name": "house", "weight": 0.6}],
    "instruments": [{"name": "kick", "heard": True}, {"name": "bass", "heard": False}],
    "use": "drum loop to chop",
    "role": "loop",
    "description": "A dark loop.",
    "tags": ["slow", "low"],
    "confidence": 0.5,
    "because": {"moods": "energy and mode"},
    "source": "acme/words",
    "corrections": [],
}
AS_SHOWN = {
    "moods-0": "dark", "moods-1": "tense", "moods-2": "", "energy": "40", "texture": "warm", "era": "any",
    "genres-0": "house", "genres-1": "", "genres-2": "", "instruments": ["kick", "bass"],
    "use": "drum loop to chop", "role": "loop", "description": "A dark loop.", "tags": "slow, low",
}  # fmt: skip


def corrected(browser: Browser, sample: Sample, **changes: str) -> TestResponse:
    """Send all values as they are shown, with some changes."""
    form = {
        "name": sample.name,
        "tags": ", ".join(sample.tag_names),
        "bpm": f"{sample.bpm:.2f}" if sample.bpm else "",
        "key": sample.key or "",
        "kind": sample.kind,
        "sound": sample.sound or "",
    }
    return browser.post(f"/samples/{sample.id}", **(form | changes))


def described(browser: Browser, sample: Sample, changes: dict[str, Any] | None = None) -> TestResponse:
    """Send the form of the vibe as it is shown, with some changes."""
    form = {f"vibe-{name}": value for name, value in (AS_SHOWN | (changes or {})).items()}
    return browser.post(f"/samples/{sample.id}/vibe", **form)


def page_of(browser: Browser, sample: Sample, edit: str = "") -> str:
    """Return the page of a sample, with one value as its field if it is named."""
    return unescape(browser.get(f"/samples/{sample.id}?edit={edit}").text)


def marked(page: str) -> list[str]:
    """Return the fields that have a button to reset them."""
    return re.findall(r'name="field" value="(\w+)"', page)


def shown_by(browser: Browser, sample: Sample, name: str, edit: str = "") -> str:
    """Return what a form of the page says that it has shown."""
    page = browser.get(f"/samples/{sample.id}?edit={edit}").text
    found = re.search(rf'name="{name}"(?: type="hidden")? value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])
