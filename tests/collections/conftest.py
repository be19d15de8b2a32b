"""A library with a pack in folders, made without the engine."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.collections import collection_rows, moves
from app.models import Collection, Sample, User
from app.models.sample_places import SamplePlace
from tests.search.test_text_conditions import shelve

PACK = {
    "Boom kick": "Drums/Kicks",
    "Click kick": "Drums/Kicks",
    "Hat": "Drums/Hats",
    "Rim": "Drums",
    "Pad": "",
    "Voice": "drums/kicks",  # the same folder for people
}
LOOSE = "Loose"


@pytest.fixture
def shelf(owner: User) -> Mapping[str, Sample]:
    """Return the samples of the collection "Dusty pack" by name, and one that is in none."""
    made = shelve(owner, {name: {} for name in (*PACK, LOOSE)})
    for name, folder in PACK.items():
        moves.move_samples(owner, [made[name].id], SamplePlace("Dusty pack", folder))
    return made


@pytest.fixture
def pack(owner: User, shelf: Mapping[str, Sample]) -> Collection:
    found = collection_rows.find_named(owner.id, "dusty PACK")
    assert found is not None
    return found
