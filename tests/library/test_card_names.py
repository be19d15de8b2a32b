"""Two samples never get the same name on the card, and any system can save every download's name."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from app.auth import accounts
from app.extensions import settings
from app.integrations.storage import open_store
from app.library import pad_file_names, samples
from app.models import Sample, User
from app.models.base import transaction
from app.sp404 import pad_names
from tests.search.test_text_conditions import shelve
from tests.support import PASSWORD, ApiScript

FAMILIES = [
    ["SP_Lofi Essentials Vol 2 Drum Loop 01", "SP_Lofi Essentials Vol 2 Drum Loop 02"],
    ["SP_Lofi Essentials Vol 1 Drum Loop 01", "SP_Lofi Essentials Vol 2 Drum Loop 01"],
    ["Vintage Breakbeat Collection Dusty Kick", "Vintage Breakbeat Collection Dusty Snare"],
    ["Vintage Breakbeat Collection Dusty A Loop Take", "Vintage Breakbeat Collection Dusty B Loop Take"],
    ["Kick", "kick", "KICK!", "Kick?", "Kíck", "ｋｉｃｋ", "Kick-2", "kick-2"],
    ["CON", "con", "?", "???", "sample", "ドラム", "doramu", "どらむ"],
    ["Loop 90", "Loop", "Loop #90", "Loop №90"],
    ["x" * 30, "x" * 31, "x" * 30 + "!"],
]


@pytest.fixture
def stocked(owner: User) -> dict[str, Sample]:
    """Samples with these names and something to download."""
    shelf = shelve(owner, {name: {} for family in FAMILIES for name in family})
    path = settings().data_dir / "wav"
    path.write_bytes(b"RIFF")
    for sample in shelf.values():
        for key in (sample.sp404_key, sample.original_key):
            open_store(settings()).put(key, path, "audio/wav")
    return shelf


def downloaded_name(script: ApiScript, sample: Sample, format_: str) -> str:
    answer = script.get(f"/api/samples/{sample.id}/download?format={format_}", follow_redirects=True)
    assert (answer.status_code, answer.data) == (200, b"RIFF")
    header = answer.headers["Content-Disposition"]
    wide = re.search(r"filename\*=UTF-8''(\S+)", header)
    plain = re.search(r'filename="?([^";]+)', header)
    return unquote(wide[1]) if wide else plain[1] if plain else ""


def test_samples_downloaded_one_by_one_have_names_of_their_own(
    script: ApiScript, stocked: dict[str, Sample]
) -> None:
    made = {name: downloaded_name(script, sample, "sp404") for name, sample in stocked.items()}
    assert len({name.lower() for name in made.values()}) == len(stocked), made
    for name in made.values():
        assert re.fullmatch(r"[A-Za-z0-9 _!&()+,.=@\[\]{}-]{1,23}\.wav", name), name
    assert made["Vintage Breakbeat Collection Dusty Kick"].startswith("Vintage")
    again = {name: downloaded_name(script, sample, "sp404") for name, sample in reversed(stocked.items())}
    assert again == made


def test_a_name_stays_until_the_sample_is_called_otherwise(owner: User, stranger: User) -> None:
    first, second, third = shelve(owner, {"Kick": {}, "KICK": {}, "kick": {}}).values()

    def assign(*some: Sample) -> list[str]:
        with transaction():
            return [pad_file_names.assign_pad_name(sample) for sample in some]

    [theirs] = shelve(stranger, {"Kick": {}}).values()
    assert assign(theirs) == ["Kick 90 Am"]
    assert assign(third, first) == ["kick 90 Am", "Kick 90 Am-2"]
    assert assign(second, first, third) == ["KICK 90 Am-3", "Kick 90 Am-2", "kick 90 Am"]
    samples.edit_sample(third, name="Snare")
    assert assign(third, first, second) == ["Snare 90 Am", "Kick 90 Am-2", "KICK 90 Am-3"]
    samples.edit_sample(second, corrections={"bpm": 180.0})
    assert assign(second) == ["KICK 180 Am"]


def test_another_users_names_do_not_count(owner: User) -> None:
    other = accounts.register_user("other@example.com", PASSWORD, "UTC")
    for user in (owner, other):
        [sample] = shelve(user, {"Kick": {}}).values()
        with transaction():
            assert pad_file_names.assign_pad_name(sample) == "Kick 90 Am"


def test_hundreds_of_samples_of_one_name_have_names_of_their_own(owner: User) -> None:
    with transaction() as session:
        session.add_all(_copies(shelve(owner, {"Kick": {}})["Kick"], 120))
        rows = session.scalars(select(Sample)).all()
        made = {pad_file_names.assign_pad_name(sample) for sample in rows}
    assert len(made) == 121
    assert pad_names.numbered_name("Kick 90 Am", 121) in made


def _copies(sample: Sample, count: int) -> list[Sample]:
    same: dict[str, Any] = {
        column.key: getattr(sample, column.key) for column in Sample.__table__.columns if column.key != "id"
    }
    return [Sample(**same) for _ in range(count)]


@pytest.mark.parametrize(
    ("filename", "saved"),
    [
        ("aux.wav", "_aux.wav"),
        ("COM¹.wav", "_COM¹.wav"),
        ("nul", "_nul"),
        (".hidden.wav", "_.hidden.wav"),
        ("-rf.wav", "_-rf.wav"),
        ('What? "No": <1>|2*.wav', "What_ _No__ _1__2_.wav"),
        ("می‌خواهم 🫨.wav", "می‌خواهم 🫨.wav"),
        ("trailing. ", "trailing"),
    ],
)
def test_an_original_is_saved_under_a_name_that_windows_takes(
    script: ApiScript, stocked: dict[str, Sample], filename: str, saved: str
) -> None:
    with transaction():
        stocked["Kick"].filename = filename
    assert downloaded_name(script, stocked["Kick"], "original") == saved
