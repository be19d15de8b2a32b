"""The attacks on accounts again, on PostgreSQL: links that outlive a password, and guessing."""

from __future__ import annotations

import pytest
from flask import Flask

from app.extensions import limiter
from tests.auth.conftest import no_mail_pause  # noqa: F401 - the fixture of those tests
from tests.auth.test_ended_links import (  # noqa: F401 - pytest runs what is imported here
    TestTokens,
    test_an_address_can_not_be_changed_by_a_link_from_before_the_reset,
    test_every_event_ends_the_links_of_every_purpose,
)
from tests.auth.test_guess_limits import (  # noqa: F401 - pytest runs what is imported here
    test_an_account_that_many_networks_guess_at_is_bounded_and_lets_a_known_browser_in,
    test_an_unknown_browser_gets_a_link_that_signs_in_once,
    test_of_many_guesses_at_once_none_is_answered_beyond_the_limit,
    test_strangers_cannot_flood_the_mailbox_with_links,
    test_wrong_passwords_from_one_network_do_not_refuse_the_owner,
)

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("no_mail_pause")]


@pytest.fixture
def app(postgres_app: Flask) -> Flask:
    """The app that those tests ask for, with its tables on PostgreSQL."""
    postgres_app.testing = True
    limiter.reset()
    return postgres_app
