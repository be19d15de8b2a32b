"""A kit's document: out and in is the identity, and only the owner's samples are found."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kits import history, kit_list, pad_edits
from app.kits.documents import find_sample, kit_document, missing_pads, state_of_document
from app.kits.history import KitEdit
from app.kits.kit_rows import load_state
from app.kits.kit_state import KitState
from app.models import User
from app.models.base import transaction
from app.sp404.kit_document import KitDocument, PadDocument, SampleReference, read_kit, write_kit
from tests.kits.operations import some_edits
from tests.kits.stock import kit_of, some_samples


def test_a_kit_out_and_in_is_the_same_kit(owner: User) -> None:
    sounds = [pad_edits.pad_for_sample(sample) for sample in some_samples(owner)]

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(some_edits(sounds), min_size=1, max_size=8))
    def check(edits: list[KitEdit]) -> None:
        kit = kit_list.create_kit(owner, KitState("Start"))
        for edit in edits:
            history.change_kit(kit, "Change", edit)
        state = load_state(kit)
        document = kit_document(kit)
        assert state_of_document(owner, read_kit(write_kit(document))) == state
        again = kit_list.create_kit(owner, state_of_document(owner, document))
        assert load_state(again) == state
        same = {"id": None, "revision": None}
        assert kit_document(again).model_copy(update=same) == document.model_copy(update=same)
        with transaction() as session:
            session.delete(kit)
            session.delete(again)

    check()


def test_a_sample_is_found_by_its_hash_where_its_id_is_unknown(owner: User) -> None:
    sample = some_samples(owner, 1)[0]
    with transaction():
        sample.content_sha256 = "ab" * 32
    reference = SampleReference(id="01J00000000000000000000000", sha256="ab" * 32, name="Elsewhere")
    state = state_of_document(
        owner, KitDocument(name="a", pads={"A1": PadDocument(sample=reference, locked=False)})
    )
    assert state.pad("A1").sample_id == sample.id


def test_a_deleted_sample_is_found_neither_by_id_nor_by_hash(owner: User) -> None:
    deleted, sample = some_samples(owner, 2)
    with transaction():
        deleted.content_sha256 = sample.content_sha256 = "ab" * 32
        deleted.deleted_at = deleted.created_at
    reference = SampleReference(id=deleted.id, sha256="ab" * 32, name="Twice")
    pad = PadDocument(sample=reference, locked=False)
    assert state_of_document(owner, KitDocument(name="a", pads={"A1": pad})).pad("A1").sample_id == sample.id
    assert find_sample(owner, reference) is sample


def test_a_strangers_sample_is_found_neither_by_id_nor_by_hash(owner: User, stranger: User) -> None:
    sample = some_samples(owner, 1)[0]
    with transaction():
        sample.content_sha256 = "ab" * 32
    document = kit_document(kit_of(owner, A1=sample))
    state = state_of_document(stranger, document)
    assert (state.pad("A1").sample_id, state.pad("A1").sample_name) == (None, sample.name)
    assert missing_pads(document, state) == ["A1"]
    kit = kit_list.create_kit(stranger, load_state(kit_of(owner, A1=sample)))
    assert load_state(kit).pad("A1").sample_id is None
