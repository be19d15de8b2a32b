"""The pages of duplicates, and what can be done there."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import DuplicateGroup, Sample, User
from tests.deduplication.copies import add, encoded, grouped, melody, snare
from tests.support import Browser

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ids(as_owner: Browser, owner: User) -> dict[str, str]:
    """Add an original with an MP3 and a second file of it, and another sound."""
    files = {
        "lossy": encoded(melody(), "a.mp3"),
        "original": encoded(melody(), "a.wav", "PCM_24"),
        "quiet": encoded(0.4 * melody(), "a.wav"),
        "other": encoded(snare(), "a.wav"),
    }
    made = {name: add(as_owner, f"{name}.wav", content) for name, content in files.items()}
    assert grouped(owner) == [["original", "lossy", "quiet"]]
    return made


@pytest.fixture
def group(ids: dict[str, str]) -> DuplicateGroup:
    return db.session.scalars(select(DuplicateGroup)).one()


def row_words(page: str) -> list[str]:
    found = re.findall(r'<td class="col-differs">(.*?)</td>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", words).strip() for words in found]


def test_the_page_says_what_stays_and_how_the_others_differ(
    as_owner: Browser, ids: dict[str, str], group: DuplicateGroup
) -> None:
    page = as_owner.get("/duplicates").text
    assert row_words(page) == ["lossless, 24-bit", "MP3", "16-bit, 8 dB quieter"]
    assert ids["other"] not in page
    sizes = [db.session.get_one(Sample, ids[name]).size_bytes for name in ("lossy", "quiet")]
    assert group.spare_bytes == sum(sizes)
    assert f"Free {sum(sizes) / 1000:.1f} kB" in page
    assert "nothing in the trash" in page
