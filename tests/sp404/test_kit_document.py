"""`kit.json` comes back as it was written, and says in a sentence what is wrong with another text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sp404.kit_document import (
    BankDocument,
    KitDocument,
    KitDocumentError,
    PadDocument,
    SampleReference,
    read_kit,
    write_kit,
)
from app.sp404.pads import PAD_NAMES
from tests.sp404.any_settings import LOADABLE, any_settings

TEMPI = st.integers(4_000, 20_000).map(lambda tempo: tempo / 100)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
SAMPLES = st.builds(
    SampleReference,
    id=st.none() | st.just("01J00000000000000000000000"),
    sha256=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
    name=TEXTS,
)
PADS = st.builds(PadDocument, sample=st.none() | SAMPLES, locked=st.booleans(), settings=any_settings())
BANKS = st.builds(BankDocument, tempo=TEMPI, volume=st.integers(0, 127), protect=st.booleans())
KITS = st.builds(
    KitDocument,
    name=st.text(LOADABLE, min_size=1, max_size=32).filter(lambda name: bool(name.strip(" "))),
    tempo=TEMPI,
    tempo_source=st.sampled_from(["project", "bank"]),
    notes=TEXTS,
    banks=st.dictionaries(st.sampled_from("ABCDEFGHIJ"), BANKS, max_size=3),
    pads=st.dictionaries(st.sampled_from(PAD_NAMES), PADS, max_size=4),
    kept=st.binary(max_size=20).map(bytes.hex),
)


@given(KITS)
def test_a_kit_comes_back_from_its_document(kit: KitDocument) -> None:
    assert read_kit(write_kit(kit)) == kit


A1 = {"name": "a", "pads": {"A1": {}}}


def with_pad(**pad: Any) -> dict[str, Any]:
    return {"name": "a", "pads": {"A1": pad}}


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        ([], "This is no kit: a kit is a JSON object."),
        ({}, "A kit needs a name."),
        ({"name": "Größer"}, "A kit's name has 1 to 32 characters"),
        ({"name": " "}, "A kit's name has 1 to 32 characters"),
        ({"name": "a", "colour": 1}, "A kit has no “colour”."),
        ({"name": "a", "version": 2}, "This kit needs a newer version of the product"),
        ({"name": "a", "format": "mpc"}, "This is no kit: its format must be “sp404mk2-kit”."),
        ({"name": "a", "tempo": 92.345}, "Its tempo is 40 to 200 BPM"),
        ({"name": "a", "tempo_source": "song"}, "Its tempo_source is “project” or “bank”."),
        ({"name": "a", "banks": {"K": {}}}, "Its banks are named A to J."),
        (
            {"name": "a", "banks": {"B": {"volume": 128}}},
            "Bank B: its volume is a whole number from 0 to 127.",
        ),
        ({"name": "a", "pads": {"A17": {}}}, "Its pads are named A1 to J16."),
        ({"name": "a", "pads": []}, "Its pads are named A1 to J16."),
        (with_pad(settings={"level": 128}), "Pad A1: Level is a whole number from 0 to 127."),
        (with_pad(settings={"one_shot": True}), "Pad A1: A one-shot pad has neither gate nor loop."),
        (with_pad(settings={"recipe": {"speed": 9}}), "Pad A1: Recipe: speed"),
        (with_pad(settings=[]), "Pad A1: The settings of a pad are a JSON object."),
        (with_pad(sample={"sha256": "0"}), "Pad A1: the sha256 of its sample has 64 hexadecimal digits"),
        (with_pad(locked=1), "Pad A1: locked is true or false."),
        (with_pad(colour=1), "Pad A1: there is no “colour”."),
    ],
)
def test_what_is_no_kit_is_refused_with_a_sentence(plain: Any, sentence: str) -> None:
    with pytest.raises(KitDocumentError) as refused:
        read_kit(json.dumps(plain))
    assert str(refused.value).startswith(sentence)


def test_what_is_not_json_is_refused() -> None:
    for text in ("", "{", b"\xff\xfe"):
        with pytest.raises(KitDocumentError, match="not JSON"):
            read_kit(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["name", "pads", "banks", "A1", "A", "settings", "sample", "x"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_fails_in_another_way(plain: Any) -> None:
    assert refusal(json.dumps(plain)) == "" or refusal(json.dumps(plain)).endswith(".")


def refusal(text: str) -> str:
    try:
        read_kit(text)
    except KitDocumentError as refused:
        return str(refused)
    return ""
