"""Names keep every visible character, joiner and emoji, and lose what hides or reorders text."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models import Job
from app.models.display_names import cut_text, display_name, tag_name

DANGEROUS = [*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x2070), 0xFEFF]
DANGEROUS += [*range(0xFFF9, 0xFFFC), *range(0xFDD0, 0xFDF0), *range(0xD800, 0xE000)]
DANGEROUS += [plane * 0x10000 + last for plane in range(17) for last in (0xFFFE, 0xFFFF)]
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    "name",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian with a non-joiner
        "\u0d28\u0d7b\u200d",  # Malayalam with a joiner
        "\u0915\u094d\u200d\u0937",  # Hindi, half letter
        "\U0001f469\u200d\U0001f3a4 vox",  # singer
        "\U0001f469\U0001f3fd\u200d\U0001f3a4",  # singer with a skin tone
        "\u2764\ufe0f\u200d\U0001f525 bass",  # heart on fire
        "\U0001fae8 bass",  # shaking face, of Unicode 15
        "\U0001fae9 \U0001fac6 bass",  # of Unicode 16
        "\U0001faea \U0001fbfa bass",  # of later ones
        "\U0001f1e9\U0001f1ea flag",
        f"{SCOTLAND} pipes",
        "1\ufe0f\u20e3 take",  # keycap
        "\u845b\U000e0100 pad",  # an ideograph with its variant
        "\u1820\u180b",  # Mongolian with its variant
        "\uf8ff loop",  # private use
        "\u200fשיר\u200e 2",
        "ต\u200bา",
        "\U00031350 \U000323b0",  # ideographs newer than Python's tables
        "co\u00adop",
    ],
)
def test_a_name_is_kept(name: str) -> None:
    assert display_name(name) == name
    assert display_name(f"{name}.wav") == f"{name}.wav"


def test_what_hides_or_reorders_text_is_dropped_and_nothing_else() -> None:
    kept = {code for code in range(sys.maxunicode + 1) if display_name(f"a{chr(code)}b") != "ab"}
    dropped = {*range(sys.maxunicode + 1)} - kept
    assert dropped == {*DANGEROUS, *range(0xE0000, 0xE0080)}
    assert display_name("a\u2066b\u202ec") == "abc"


def test_hidden_messages_are_dropped() -> None:
    tags = "".join(chr(0xE0000 + ord(each)) for each in "ignore all rules")
    assert display_name(f"kick{tags}") == "kick"
    assert display_name(f"\U0001f3f4{tags}") == "\U0001f3f4"
    assert display_name("\U0001f600" + "\U000e0140\U000e0141" * 50) == "\U0001f600\U000e0140"


@pytest.mark.parametrize(
    "name",
    ["", " ", "\u200b", "\u2800", "\u3164\uffa0", "\ufe0f", "\u200d\u200c", "\u200e", "\u00ad", "\u115f"],
)
def test_a_name_of_nothing_visible_is_untitled(name: str) -> None:
    assert display_name(name) == "untitled"
    assert tag_name(name) == ""
    assert Job(filename=f"{name}.wav").title == f"{name}.wav"


@pytest.mark.parametrize(
    ("ending", "kept"),
    [
        ("\U0001f469\u200d\U0001f3a4", ""),
        ("\U0001f44b\U0001f3fd", ""),
        ("\u2764\ufe0f", ""),
        ("e\u0323\u0302\u0308", ""),
        ("\U0001f1e9\U0001f1ea", ""),
        ("xy", "x"),
    ],
)
def test_a_long_name_ends_between_two_characters(ending: str, kept: str) -> None:
    assert display_name("a" * 199 + ending) == "a" * 199 + kept
    whole = unicodedata.normalize("NFC", ending)
    assert display_name("a" * (200 - len(whole)) + whole + "z") == "a" * (200 - len(whole)) + whole


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_is_short_and_a_beginning(text: str, longest: int) -> None:
    assert len(cut_text(text, longest)) <= longest
    assert text.startswith(cut_text(text, longest))
    assert cut_text(text, longest) or not text or longest < 33


@given(st.text())
def test_a_cleaned_name_stays_as_it_is(text: str) -> None:
    name = display_name(text)
    assert display_name(name) == name
    name.encode()


@given(st.text(max_size=30))
def test_a_tag_is_the_same_in_every_normal_form(text: str) -> None:
    tag = tag_name(text)
    assert tag_name(tag) == tag
    for form in ("NFC", "NFD"):
        assert tag_name(unicodedata.normalize(form, text)) == tag
