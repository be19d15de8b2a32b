"""Filling a bank: by a layout, by a sentence, around locks, deterministic, as one change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.extensions import db
from app.kits import history, kit_list, pad_edits
from app.kits.bank_filling import FillReport, NothingToFillError, fill_bank, shuffle_bank
from app.kits.fill_wishes import FillWishes, wishes_of_sentence
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.models import DuplicateGroup, DuplicateMember, Kit, Sample, User
from app.models.base import transaction
from app.music.sound_classes import LOOP, ONE_SHOT
from app.search.indexing import follow_changes
from app.sp404.bank_layouts import LAYOUTS
from app.sp404.pads import pads_of_bank
from tests.kits.fill_stock import shelve_library, shelve_sound, vector_at
from tests.kits.stock import held_ids, kit_of
from tests.query_counter import counted_queries

BOOM_BAP = FillWishes(LAYOUTS["boom-bap"])


@pytest.fixture
def kit(owner: User) -> Kit:
    return kit_list.create_kit(owner, KitState("Dusty kit"))


def sounds_of(kit: Kit, bank: str = "A") -> dict[str, str]:
    """Return the class on each pad of a bank."""
    found = {}
    for pad in pads_of_bank(bank):
        sample = db.session.get(Sample, load_state(kit).pad(pad).sample_id or "")
        if sample is not None:
            found[pad] = f"{sample.sound or ''} {sample.kind}".strip()
    return found


def test_a_boom_bap_bank_has_its_classes_and_no_sound_twice(owner: User, kit: Kit) -> None:
    shelve_library(owner, 3)
    report = fill_bank(owner, kit, "B", BOOM_BAP)
    assert report.sentence.startswith("Bank B: 16 pads filled at ")
    assert (set(report.filled), report.missing) == (set(pads_of_bank("B")), {})
    sounds = sounds_of(kit, "B")
    expected = ["kick", "snare", "closed hat", "open hat", "kick", "snare", "cymbal", "shaker"]
    assert [sounds[f"B{n}"] for n in range(1, 9)] == [f"{sound} one-shot" for sound in expected]
    assert [sounds[f"B{n}"] for n in (9, 10, 11, 12)] == [
        "drums loop",
        "chords loop",
        "melody loop",
        "percussion loop",
    ]
    assert [sounds[f"B{n}"] for n in (13, 14, 15, 16)] == [
        "bass one-shot",
        "vocal-like one-shot",
        "fx one-shot",
        "texture",
    ]
    assert len(set(held_ids(kit).values())) == 16
    settings = {pad: held.settings for pad, held in load_state(kit).pads.items()}
    assert settings["B3"].mute_group == settings["B4"].mute_group == 1
    assert (settings["B1"].gate, settings["B1"].mute_group, settings["B1"].recipe) == (False, 0, None)
    assert (settings["B9"].loop, settings["B9"].bpm_sync) == (True, True)


def test_the_mpc_counts_from_the_bottom_and_gm_sorts_its_toms(owner: User, kit: Kit) -> None:
    shelve_library(owner, 5)
    for n in range(6):
        shelve_sound(owner, f"Tom {n}", ONE_SHOT, "tom", brightness=n * 9.0, similarity=vector_at(5.0 + n, 6))
    fill_bank(owner, kit, "A", FillWishes(LAYOUTS["mpc"]))
    fill_bank(owner, kit, "B", FillWishes(LAYOUTS["gm-drums"]))
    assert [sounds_of(kit)[f"A{n}"] for n in (13, 14, 15, 16)] == [
        f"{s} one-shot" for s in ("kick", "snare", "closed hat", "open hat")
    ]
    gm = sounds_of(kit, "B")
    assert [gm[f"B{n}"] for n in (13, 15, 16, 11, 7, 2)] == [
        f"{s} one-shot" for s in ("kick", "snare", "clap", "closed hat", "open hat", "cymbal")
    ]
    held = held_ids(kit)
    brightness = [
        db.session.get_one(Sample, held[f"B{n}"]).features.brightness or 0 for n in (10, 12, 6, 8, 1, 3)
    ]
    assert brightness == sorted(brightness)


def test_the_same_seed_gives_the_same_bank_and_another_one_another(owner: User, kit: Kit) -> None:
    shelve_library(owner, 8)
    banks: list[dict[str, str | None]] = []
    for seed in ((7,), (7,), (8,), (0,), ()):
        other = kit_list.create_kit(owner, KitState(f"Kit {len(banks)}"))
        fill_bank(owner, other, "A", BOOM_BAP, *seed)
        banks.append(held_ids(other))
    assert banks[0] == banks[1]
    assert banks[0] != banks[2]
    assert banks[3] == banks[4], "without a seed there is no chance"


def test_locked_pads_stay_and_their_sounds_are_not_used_again(owner: User, kit: Kit) -> None:
    shelve_library(owner, 3)
    fill_bank(owner, kit, "A", BOOM_BAP)
    before = held_ids(kit)
    history.change_kit(kit, "Lock", pad_edits.lock(["A1", "A9", "A16"], True))
    report = shuffle_bank(owner, kit, "A", 5)
    assert sorted(report.filled) == sorted(set(pads_of_bank("A")) - {"A1", "A9", "A16"})
    after = held_ids(kit)
    assert [after[pad] for pad in ("A1", "A9", "A16")] == [before[pad] for pad in ("A1", "A9", "A16")]
    assert after != before
    assert len(set(after.values())) == 16
    assert history.undo_change(kit) == "Shuffle bank A"
    assert held_ids(kit) == before


def test_a_shuffle_keeps_to_the_key_that_most_sounds_of_the_bank_are_in(owner: User) -> None:
    keys = ("C major", "A minor", "A minor", "D minor", None)
    loops = [
        shelve_sound(owner, f"{n}", LOOP, "chords", key=key, similarity=vector_at(1.0 + n, n))
        for n, key in enumerate(keys)
    ]
    kit = kit_of(owner, **{f"A{n}": loop for n, loop in enumerate(loops, 1)})
    assert shuffle_bank(owner, kit, "A", 1).key == "A minor"
    without = kit_of(owner, A1=loops[-1])
    assert shuffle_bank(owner, without, "A", 1).key is None
    second = shelve_sound(owner, "Second", LOOP, "chords", key=None, similarity=vector_at(9.0, 9))
    most_without = kit_of(owner, A1=loops[-1], A2=second, A3=loops[3])
    assert shuffle_bank(owner, most_without, "A", 1).key == "D minor"


def test_near_duplicates_and_groups_of_duplicates_are_never_together(owner: User, kit: Kit) -> None:
    kicks = [
        shelve_sound(owner, f"Kick {n}", ONE_SHOT, "kick", similarity=vector_at(at))
        for n, at in enumerate((1.0, 1.01))
    ]
    fill_bank(owner, kit, "A", BOOM_BAP)
    assert sounds_of(kit) == {"A1": "kick one-shot"}
    kicks.append(shelve_sound(owner, "Kick far", ONE_SHOT, "kick", similarity=vector_at(9.0)))
    with transaction() as session:
        group = DuplicateGroup(user_id=owner.id, anchor_id=kicks[0].id)
        session.add(group)
        session.flush()
        session.add_all(DuplicateMember(sample_id=each.id, group_id=group.id) for each in kicks)
    fill_bank(owner, kit, "A", BOOM_BAP)
    assert sounds_of(kit) == {"A1": "kick one-shot"}


def test_a_library_that_lacks_a_class_says_so(owner: User, kit: Kit) -> None:
    shelve_sound(owner, "Kick", ONE_SHOT, "kick")
    report = fill_bank(owner, kit, "A", BOOM_BAP)
    assert report.filled == {"A1": "kick"}
    assert report.missing["A2"] == "snare"
    assert len(report.missing) == 15
    assert "1 pad filled at 90 BPM" in report.sentence
    assert "2 × snare" in report.sentence
    assert list(sounds_of(kit)) == ["A1"]


def test_the_report_counts_pads_and_what_is_missing() -> None:
    def sentence(filled: int, missing: list[str], bpm: float = 90.0, key: str | None = None) -> str:
        pads = {f"A{number}": "kick" for number in range(1, filled + 1)}
        lacking = {f"A{number}": name for number, name in enumerate(missing, filled + 1)}
        return FillReport(LAYOUTS["boom-bap"], "A", pads, lacking, bpm, key).sentence

    assert sentence(16, []) == "Bank A: 16 pads filled at 90 BPM."
    assert sentence(1, [], 92.5, "A minor") == "Bank A: 1 pad filled at 92.5 BPM in A min."
    nothing_more = "Bank A: 2 pads filled at 90 BPM. Your library has nothing more for: "
    assert sentence(2, ["snare"]) == f"{nothing_more}snare."
    assert sentence(2, ["snare", "clap", "snare"]) == f"{nothing_more}2 × snare, clap."


def test_an_empty_library_and_a_locked_bank_are_refused_with_a_sentence(owner: User, kit: Kit) -> None:
    with pytest.raises(NothingToFillError, match="no other sound for “Boom bap”"):
        fill_bank(owner, kit, "A", BOOM_BAP)
    with pytest.raises(NothingToFillError, match="no pad to fill"):
        shuffle_bank(owner, kit, "A", 1)
    history.change_kit(kit, "Lock", pad_edits.lock(list(pads_of_bank("A")), True))
    with pytest.raises(NothingToFillError, match="unlock some"):
        fill_bank(owner, kit, "A", BOOM_BAP)


def test_a_sentence_finds_layout_tempo_key_and_words(owner: User, kit: Kit) -> None:
    shelve_library(owner, 3)
    dusty = shelve_sound(
        owner, "Dusty kick", ONE_SHOT, "kick", similarity=vector_at(20.0), sound_confidence=0.7
    )
    wishes = wishes_of_sentence(owner, "dusty MPC kit around 93 in A minor, no clap")
    assert (wishes.layout.slug, wishes.bpm, wishes.key) == ("mpc", 93.0, "A minor")
    report = fill_bank(owner, kit, "A", wishes)
    assert held_ids(kit)["A13"] == dusty.id
    assert (report.bpm, report.key, load_state(kit).tempo) == (93.0, "A minor", 9300)
    assert history.undo_change(kit) == "Fill bank A: MPC"
    assert (load_state(kit).tempo, held_ids(kit)) == (9000, {})


def test_a_bank_with_its_own_tempo_gets_the_one_of_the_sentence(owner: User, kit: Kit) -> None:
    shelve_library(owner, 1)
    history.change_kit(kit, "Own tempi", pad_edits.change_values(tempo_source="bank"))
    fill_bank(owner, kit, "C", wishes_of_sentence(owner, "boom bap at 80"))
    assert (load_state(kit).bank("C").tempo, load_state(kit).tempo) == (8000, 9000)


def test_loops_in_key_share_a_key_or_are_moved_into_it(owner: User, kit: Kit) -> None:
    for n in range(3):
        for sound in ("chords", "bass"):
            shelve_sound(owner, f"{sound} {n}", LOOP, sound, key="A minor", similarity=vector_at(1.0 + n, 3))
    near = shelve_sound(owner, "Near", LOOP, "chords", key="B minor", similarity=vector_at(8.0, 3))
    far = shelve_sound(owner, "Far", LOOP, "chords", key="F# major", similarity=vector_at(9.0, 3))
    report = fill_bank(owner, kit, "A", FillWishes(LAYOUTS["loops-in-key"]))
    held = load_state(kit).pads
    assert report.key == "A minor"
    recipes = {pad.sample_id: pad.settings.recipe for pad in held.values()}
    assert far.id not in recipes
    assert recipes[near.id] is not None
    assert recipes[near.id].transpose == -2.0  # type: ignore[union-attr]  # it is not None


def test_an_unsure_tempo_is_not_in_sync_and_a_stereo_hit_is_made_mono(owner: User, kit: Kit) -> None:
    shelve_sound(owner, "Loose", LOOP, "drums", bpm_confidence=0.2)
    shelve_sound(owner, "Wide", ONE_SHOT, "kick", channels=2)
    fill_bank(owner, kit, "A", BOOM_BAP)
    held = load_state(kit).pads
    assert (held["A9"].settings.loop, held["A9"].settings.bpm_sync) == (True, False)
    assert held["A1"].settings.recipe is not None
    assert held["A1"].settings.recipe.mono == "auto"


def test_an_unsure_class_is_not_taken(owner: User, kit: Kit) -> None:
    shelve_sound(owner, "Unsure", ONE_SHOT, "snare", sound_confidence=0.45, similarity=vector_at(1.0))
    rim = shelve_sound(owner, "Rim", ONE_SHOT, "rim", similarity=vector_at(5.0))
    report = fill_bank(owner, kit, "A", BOOM_BAP)
    assert held_ids(kit) == {"A6": rim.id}
    assert report.missing["A2"] == "snare"


def test_a_corrected_class_is_sure(owner: User, kit: Kit) -> None:
    sample = shelve_sound(owner, "Corrected", ONE_SHOT, "snare", sound_confidence=0.1)
    with transaction():
        sample.correct(sound="kick")
    fill_bank(owner, kit, "A", BOOM_BAP)
    assert held_ids(kit) == {"A1": sample.id}


def test_the_outlier_of_a_class_is_not_taken(owner: User, kit: Kit) -> None:
    for n in range(8):
        shelve_sound(owner, f"Kick {n}", ONE_SHOT, "kick", similarity=vector_at(1.0 + n))
    odd = shelve_sound(owner, "Odd", ONE_SHOT, "kick", similarity=vector_at(90.0, 7), sound_confidence=0.95)
    fill_bank(owner, kit, "A", BOOM_BAP)
    assert len(held_ids(kit)) == 2
    assert odd.id not in held_ids(kit).values()


def test_a_fill_takes_as_many_queries_from_many_sounds_as_from_few(owner: User, stranger: User) -> None:
    counts = []
    for user, each in ((owner, 1), (stranger, 6)):
        shelve_library(user, each)
        follow_changes(user.id)
        kit = kit_list.create_kit(user, KitState("Counted"))
        db.session.refresh(kit)
        with counted_queries() as statements:
            fill_bank(user, kit, "A", BOOM_BAP)
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert counts[0] <= 45, statements


def test_a_strangers_sounds_are_never_used(owner: User, stranger: User, kit: Kit) -> None:
    shelve_library(stranger, 2)
    with pytest.raises(NothingToFillError):
        fill_bank(owner, kit, "A", BOOM_BAP)


def test_a_bank_is_filled_again_from_its_own_sounds(owner: User, kit: Kit) -> None:
    """A near duplicate of a sound on a locked pad may not be chosen."""
    kicks = [
        shelve_sound(owner, f"Kick {n}", ONE_SHOT, "kick", similarity=vector_at(at))
        for n, at in enumerate((1.0, 1.01))
    ]
    fill_bank(owner, kit, "A", BOOM_BAP)
    before = held_ids(kit)
    assert set(before.values()) < {kick.id for kick in kicks}
    fill_bank(owner, kit, "A", BOOM_BAP)
    assert held_ids(kit) == before
    history.change_kit(kit, "Lock", pad_edits.lock(["A1"], True))
    with pytest.raises(NothingToFillError, match="no other sound for “Boom bap”"):
        fill_bank(owner, kit, "A", BOOM_BAP)


def test_a_sound_of_another_bank_is_not_repeated(owner: User, kit: Kit) -> None:
    shelve_library(owner, 1)
    fill_bank(owner, kit, "A", BOOM_BAP)
    with pytest.raises(NothingToFillError):
        fill_bank(
            owner,
            kit,
            "B",
            replace(BOOM_BAP, layout=replace(LAYOUTS["boom-bap"], roles={1: LAYOUTS["boom-bap"].roles[1]})),
        )
