"""Every transaction locks the account before anything of it, so that no two wait in a circle."""

from __future__ import annotations

import pytest

from app.account import closing, data_export
from app.auth import credentials
from app.extensions import db
from app.models import User
from app.models.base import transaction
from app.models.user_session import RESET, VERIFY
from app.notify import mail_links
from tests.query_counter import counted_queries
from tests.support import PASSWORD

LOCK = "SELECT users.id, users.closed_at"


def first_index(statements: list[str], *starts: str) -> int:
    return next(at for at, statement in enumerate(statements) if statement.startswith(starts))


@pytest.mark.parametrize("purpose", [RESET, VERIFY])
def test_a_mailed_link_is_used_after_its_account_was_locked(owner: User, purpose: str) -> None:
    with transaction():
        link = mail_links.add_link(owner, purpose, owner.email)
    with counted_queries() as statements:
        if purpose == RESET:
            credentials.reset_password(link, PASSWORD + "!")
        else:
            credentials.verify_email(link)
    db.session.expire_all()
    assert link.used_at is not None
    assert owner.email_verified_at is not None
    assert first_index(statements, LOCK) < first_index(statements, "UPDATE")


def test_an_export_is_finished_after_its_account_was_locked(owner: User) -> None:
    data_export.request_export(owner)
    export = data_export._claim_next()
    assert export is not None
    values = export.id, owner.id, export.key
    with counted_queries() as statements:
        data_export._finish_export(*values, 5)
    db.session.expire_all()
    assert export.size_bytes == 5
    of_export = ("SELECT data_exports", "UPDATE data_exports")
    assert first_index(statements, LOCK) < first_index(statements, *of_export)


def test_a_closing_changes_the_address_last(owner: User) -> None:
    """A change of a unique value also keeps out new rows that refer to the account."""
    owner_id = owner.id
    with counted_queries() as statements:
        closing.close_account(owner)
    assert db.session.get_one(User, owner_id).email.endswith("@closed.invalid")
    writes = [statement for statement in statements if statement.startswith(("UPDATE", "INSERT", "DELETE"))]
    assert [" email=" in statement for statement in writes] == [False] * (len(writes) - 1) + [True]
