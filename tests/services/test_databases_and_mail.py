"""The two databases behave alike, and mail waits for its server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from app import create_app
from app.auth import accounts
from app.config import Settings
from app.extensions import Base, db, settings
from app.models import OutboxMessage, Sample, User
from app.models.base import transaction, utcnow
from app.notify import outbox
from app.search.sample_query import SampleQuery
from app.search.sample_search import find_samples
from tests.live import free_port
from tests.services.conftest import Inbox
from tests.support import PASSWORD, Browser, finished_job, kick

pytestmark = pytest.mark.services
SECRET = "a secret for tests, long enough to be taken"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    values = {"DATA_DIR": str(tmp_path)}
    if request.param == "postgres":
        values |= {"DATABASE_URL": request.getfixturevalue("postgres_url"), "SECRET_KEY": SECRET}
    return create_app(Settings.from_env(values))


def test_migrations_run_up_and_down_and_match_the_models(empty_app: Flask) -> None:
    with empty_app.app_context():
        for _ in range(2):
            upgrade()
            tables = set(sa.inspect(db.engine).get_table_names())
            assert "search_index" in tables
            # FTS5 keeps its index in tables of its own.
            modelled = {name for name in tables if not name.startswith("search_index")}
            assert modelled == {*Base.metadata.tables, "alembic_version"}
            assert _differences() == []
            downgrade(revision="base")
            assert set(sa.inspect(db.engine).get_table_names()) == {"alembic_version"}
        db.engine.dispose()


def test_an_index_whose_making_was_interrupted_is_made_again(empty_app: Flask) -> None:
    with empty_app.app_context():
        upgrade(revision="0035")
        with db.engine.begin() as connection:
            connection.execute(sa.text("CREATE INDEX ix_samples_collection ON samples (folder)"))
        upgrade()
        found = {each["name"]: each for each in sa.inspect(db.engine).get_indexes("samples")}
        assert found["ix_samples_collection"]["column_names"][0] == "collection_id"
        db.engine.dispose()


def test_a_library_is_ranked_by_corrected_values(empty_app: Flask) -> None:
    with empty_app.app_context():
        upgrade()
        user = accounts.register_user("owner@example.com", PASSWORD, "UTC")
        for described, corrections in (({"energy": 50}, {}), ({"energy": 10}, {"energy": 90}), ({}, {})):
            with transaction() as session:
                session.add(_sample(user, described, corrections))
        found = find_samples(user, SampleQuery(ask="energetic"), "").samples
        assert [sample.vibe.get("energy") for sample in found] == [90, 50, None]
        db.session.remove()
        db.engine.dispose()


def _sample(user: User, described: dict[str, int], corrections: dict[str, int]) -> Sample:
    names = ("name", "filename", "format", "content_sha256", "original_key", "sp404_key", "search_text")
    return Sample(
        **dict.fromkeys(names, ""),
        user_id=user.id,
        size_bytes=1,
        duration_s=1.0,
        kind="loop",
        bars=b"",
        described=described,
        corrections=corrections,
    )


def _differences() -> list[object]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    # As in migrations/env.py
    unseen = {"table": "search_index", "index": "ix_search_rows"}
    options = {
        "include_object": lambda _, name, kind, *__: (
            kind not in unseen or not (name or "").startswith(unseen[kind])
        )
    }
    with db.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


class TestMail:
    @pytest.fixture
    def environ(self, environ: dict[str, str], mail_server: tuple[str, Inbox]) -> dict[str, str]:
        return environ | {
            "SMTP_URL": mail_server[0],
            "SECRET_KEY": SECRET,
            "BASE_URL": "http://127.0.0.1:5000",
        }

    def test_mail_is_sent_once_with_text_html_and_an_unsubscribe_link(
        self, as_owner: Browser, mail_server: tuple[str, Inbox]
    ) -> None:
        finished_job(as_owner, "kick.wav", kick())
        assert [outbox.deliver_mails(), outbox.deliver_mails()] == [1, 0]
        (message,) = mail_server[1].messages
        assert message["Subject"] == "Your sample is ready"
        assert message["List-Unsubscribe"] == "<http://127.0.0.1:5000/settings>"
        assert [part.get_content_type() for part in message.walk()] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]


class TestMailWithoutServer:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        base = {"SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:5000"}
        return environ | base | {"SMTP_URL": f"smtp://127.0.0.1:{free_port()}"}

    def test_mail_waits_for_its_server(self, as_owner: Browser) -> None:
        finished_job(as_owner, "kick.wav", kick())
        assert outbox.deliver_mails() == 0
        message = db.session.scalars(sa.select(OutboxMessage)).one()
        assert (message.attempts, message.sent_at) == (1, None)
        assert message.last_error
        assert message.next_try_at is not None
        assert timedelta(seconds=20) < message.next_try_at - utcnow() < timedelta(seconds=31)
        with transaction() as session:
            session.execute(sa.update(OutboxMessage).values(next_try_at=utcnow()))
        assert outbox.deliver_mails() == 0
        db.session.refresh(message)
        assert message.attempts == 2
        assert settings().smtp_url
