"""Which passwords are strong enough, and which hashes are still those of today."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from flask import Flask

from app.auth import passwords
from tests.support import PASSWORD

EMAIL = "DJShadow@VinylCrate.example"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("bluekettle", passwords.TOO_WEAK),  # zxcvbn gives it 2 of 4
        ("kettle river", None),  # 3
        ("loudgreen kettle", None),  # 4
        ("djshadow1999x", passwords.TOO_WEAK),  # 3 for anybody else
        ("vinylcrate88", passwords.TOO_WEAK),  # 3 for anybody else
        ("djshadow@vinylcrate.example", passwords.TOO_WEAK),
        ("sp404sample", passwords.TOO_WEAK),
        ("qwertyuiop", passwords.BREACHED),
        ("QWERTYUIOP", passwords.BREACHED),
        ("qwertyuiop and a quiet kettle", None),
        ("a" * 200, passwords.TOO_WEAK),
    ],
)
def test_a_password_is_judged_by_how_hard_it_is_to_guess(password: str, reason: str | None) -> None:
    assert passwords.rejection_reason(password, EMAIL) == reason


def test_a_hash_is_renewed_when_its_parameters_or_its_spelling_are_of_before(app: Flask) -> None:
    today = passwords.hash_password(PASSWORD)
    before = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    wide = "ｗｉｄｅ quiet password"
    assert passwords.needs_rehash(today, PASSWORD) is False
    assert passwords.needs_rehash(before, PASSWORD) is True
    assert passwords.needs_rehash(passwords.hash_password(wide), wide) is True
    assert passwords.verify_password(before, PASSWORD)


@pytest.mark.parametrize(
    "unreadable", ["", "$argon2id$v=19$m=8,t=1,p=1$", "plain text", "$2b$12$" + "x" * 53]
)
def test_a_hash_that_can_not_be_read_opens_nothing(app: Flask, unreadable: str) -> None:
    assert passwords.verify_password(unreadable, PASSWORD) is False
    assert passwords.verify_password(passwords.UNKNOWN_HASH, PASSWORD) is False
    assert passwords.matching_spelling(unreadable, PASSWORD) is None
