"""A password is the same however a keyboard encodes it, and hashes of earlier versions still work."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from flask import Flask

from app.auth import accounts, passwords
from app.auth.password_text import (
    LENGTH_SENTENCE,
    MAX_TYPED,
    form_error,
    password_spellings,
    prepare_password,
)
from app.models import User
from app.models.base import transaction
from tests.support import PASSWORD, Browser

EMAIL = "dj@example.com"
Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
# Two spellings of one password each: how one system sends it, and how another does.
COMPOSITIONS: tuple[Form, Form] = ("NFC", "NFD")
TYPED: list[tuple[str, Form]] = [
    ("müde straße café noël über", "NFD"),
    ("Ångström élan vital où ça", "NFD"),
    ("ガギグゲゴ パピプペポ がぎ", "NFD"),
    ("한국어 비밀번호 네 단어", "NFD"),
    ("Tiếng Việt bốn chữ dài", "NFD"),
    ("ﬁne ﬂuﬀy oﬃce shelves", "NFKC"),
    ("ｗｉｄｅ ｗｏｒｄｓ ａｒｅ ｏｎｅ", "NFKC"),
    ("quiet ② ½ ℃ № long words", "NFKD"),
]
PAIRS = [(text, unicodedata.normalize(form, text)) for text, form in TYPED]
SPACES = "\u00a0\u1680\u2002\u2009\u202f\u205f\u3000"


def test_every_spelling_of_a_password_signs_in(app: Flask) -> None:
    for number, (password, other) in enumerate(PAIRS):
        assert other != password
        email = f"dj{number}@example.com"
        accounts.register_user(email, other, "UTC")
        for typed in (password, other):
            assert accounts.authenticate(email, typed) is not None, typed
        assert accounts.authenticate(email, password[:-1]) is None


def test_a_password_registered_on_one_system_signs_in_on_another(app: Flask) -> None:
    decomposed = unicodedata.normalize("NFD", "müde straße café noël über")
    Browser(app).post("/register", email=EMAIL, password=decomposed, timezone="UTC")
    composed = unicodedata.normalize("NFC", decomposed)
    assert Browser(app).post("/sign-in", email=EMAIL, password=composed).status_code == 303
    assert Browser(app).post("/sign-in", email=EMAIL, password=composed[:-1]).status_code == 422


def test_every_space_is_the_space_of_a_plain_keyboard(app: Flask) -> None:
    accounts.register_user(EMAIL, PASSWORD, "UTC")
    for space in SPACES:
        assert accounts.authenticate(EMAIL, PASSWORD.replace(" ", space)) is not None


def test_a_hash_of_the_typed_text_opens_once_and_is_renewed(app: Flask) -> None:
    user = accounts.register_user(EMAIL, PASSWORD, "UTC")
    for password, other in PAIRS:
        composed, decomposed = (unicodedata.normalize(form, password) for form in COMPOSITIONS)
        for typed in (password, other, composed, decomposed):
            old = passwords._hasher.hash(typed)  # as the previous version did
            with transaction():
                user.password_hash = old
            assert accounts.authenticate(EMAIL, typed) is not None, typed
            renewed = user.password_hash
            assert renewed is not None
            assert (renewed == old) is (typed == prepare_password(typed))
            assert passwords._hasher.verify(renewed, prepare_password(password))
            assert accounts.authenticate(EMAIL, other) is not None
            assert user.password_hash == renewed


def test_an_unknown_account_costs_as_many_hashes_as_a_known_one(
    app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    real = passwords._has_hash

    def count_checks(password_hash: str, spelling: str) -> bool:
        checked.append(spelling)
        return real(password_hash, spelling)

    monkeypatch.setattr(passwords, "_has_hash", count_checks)
    for wrong, hashes in (("plain and wrong", 1), ("müde und falsch", 2), ("ﬁne und falsch müde", 3)):
        costs = []
        for email in (owner.email, "nobody@example.com"):
            checked.clear()
            assert accounts.authenticate(email, wrong) is None
            costs.append(len(checked))
        assert costs == [hashes, hashes], wrong


def test_the_length_counts_after_normalising() -> None:
    assert form_error("e\u0301" * 9) == LENGTH_SENTENCE  # 18 characters typed, 9 on the screen
    assert form_error("e\u0301" * 10) is None
    assert form_error("ﬃ" * 4) is None  # four typed, twelve letters
    assert form_error("é" * 200) is None
    assert form_error(unicodedata.normalize("NFD", "\u1f82" * 200)) is None  # 800 characters typed
    for text in ("é" * 201, "a" * 10**6, unicodedata.normalize("NFD", "\u1f82" * 201), "\u0301" * 10**5):
        assert form_error(text) == LENGTH_SENTENCE


def test_cut_text_is_never_a_password() -> None:
    """Sign-in reads no more than MAX_TYPED characters; whatever was cut was too long to be set."""
    assert prepare_password("a" * 1001) == prepare_password("a" * 1000) != prepare_password("a" * 999)
    assert password_spellings("a" * 1001) == ("a" * 1000,)
    for character in ("a", "\u1f82", "\u0390", "각"):
        typed = unicodedata.normalize("NFD", character * MAX_TYPED)
        assert form_error(typed[:MAX_TYPED]) == LENGTH_SENTENCE


@pytest.mark.parametrize(
    "hidden",
    [
        *("\x00", "\t", "\n", "\x7f", "\u200b", "\u200e", "\u202e", "\u2028", "\u2029", "\ufeff"),
        *("\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\U000e0001"),
    ],
)
def test_an_invisible_character_gets_a_sentence(hidden: str) -> None:
    assert f"U+{ord(hidden):04X}" in (form_error(PASSWORD + hidden + PASSWORD) or "")


def test_an_invisible_character_is_refused_on_the_page(app: Flask) -> None:
    answer = Browser(app).post("/register", email=EMAIL, password="a quiet\u200b long password")
    assert answer.status_code == 422
    assert "invisible character (U+200B)" in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d🎤🎹",
        "❤\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\U0001fae9",
        "نی\u200cخواهم",
        "क्\u200dष",
        "\U000e0020\U000e007e",  # the first and the last letter of a flag
        "\ufdcf \ufdfc \ufffd",  # beside the noncharacters
        "\U0003fffd",  # assigned to nothing yet
    ],
)
def test_emoji_and_every_script_are_welcome(text: str) -> None:
    assert form_error(PASSWORD + text) is None


def test_a_leaked_password_in_wide_letters_is_still_leaked() -> None:
    assert passwords.rejection_reason("ｑｗｅｒｔｙｕｉｏｐ", EMAIL) == passwords.BREACHED


def test_preparing_twice_changes_nothing() -> None:
    """So a password that was set from its own prepared form is the same one."""
    for character in map(chr, range(0x80, 0x30000)):
        if unicodedata.normalize("NFKC", character) != character:
            once = prepare_password(f"a{character}")
            assert prepare_password(once) == once
            assert password_spellings(once)[0] == once
