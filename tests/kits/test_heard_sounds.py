"""A pad is heard as its sample is where nothing is to be shaped, or where the sample is too long."""

from __future__ import annotations

import pytest

from app.kits import history, pad_edits
from app.kits.kit_rows import load_state
from app.models import Kit, Sample
from app.models.base import transaction
from tests.support import Browser


def is_heard_as_it_is(browser: Browser, kit: Kit, sample: Sample) -> bool:
    answer = browser.get(f"/kits/{kit.id}/pads/A1/audio")
    own = browser.get(f"/samples/{sample.id}/audio").headers["Location"]
    return answer.status_code == 302 and file_of(answer.headers["Location"]) == file_of(own)


def file_of(link: str) -> str:
    """Return a signed link without the second it was made in and its signature."""
    return link.rsplit(".", 2)[0]


@pytest.fixture
def loop(samples: list[Sample]) -> Sample:
    return samples[0]


def test_a_pad_in_sync_at_the_tempo_of_its_bank_is_not_stretched(
    as_owner: Browser, kit: Kit, loop: Sample
) -> None:
    settings = load_state(kit).pad("A1").settings
    assert (settings.bpm_sync, settings.bpm, kit.tempo) == (True, 90.0, 9_000)
    assert is_heard_as_it_is(as_owner, kit, loop)
    history.change_kit(kit, "Faster", pad_edits.change_values(tempo=9_500))
    assert as_owner.get(f"/kits/{kit.id}/pads/A1/audio").status_code == 503, "it is being stretched"


@pytest.mark.parametrize("changes", [{"bpm_sync": True}, {"bpm_sync": False, "recipe": {"reverse": True}}])
def test_a_long_sample_is_heard_as_it_is(
    as_owner: Browser, kit: Kit, loop: Sample, changes: dict[str, object]
) -> None:
    with transaction():
        loop.duration_s = 30.5
    history.change_kit(kit, "Faster", pad_edits.change_values(tempo=9_500))
    history.change_kit(kit, "Set", pad_edits.change_settings("A1", changes))
    assert is_heard_as_it_is(as_owner, kit, loop)


@pytest.mark.parametrize(
    ("changes", "stretch"),
    [
        ({}, 90 / 95),
        ({"recipe": {"reverse": True}}, 90 / 95),
        ({"recipe": {"bpm": 100.0, "from_bpm": 90.0}}, 100 / 95),
        ({"bpm_sync": False}, 1),
    ],
)
def test_the_player_is_told_how_long_a_sound_is_and_how_far_it_is_stretched(
    as_owner: Browser, kit: Kit, loop: Sample, changes: dict[str, object], stretch: float
) -> None:
    history.change_kit(kit, "Faster", pad_edits.change_values(tempo=9_500))
    history.change_kit(kit, "Set", pad_edits.change_settings("A1", changes))
    pad = as_owner.get(f"/kits/{kit.id}/banks/A/sounds").get_json()["pads"]["A1"]
    assert (pad["length_s"], pad["stretch"]) == (loop.duration_s, pytest.approx(stretch))
