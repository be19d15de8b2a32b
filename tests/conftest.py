"""Fixtures of every test: a fresh app on its own migrated database, and a fixed cast of users."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from app.audio.warm import set_cache_folder

# The queue reads the environment when it is imported, so this comes before any import of the app.
SCRATCH = Path(tempfile.mkdtemp(prefix="sp404-tests-"))
for name in ("DATABASE_URL", "REDIS_URL", "S3_BUCKET", "SMTP_URL", "BASE_URL", "SECRET_KEY", "PORT"):
    os.environ.pop(name, None)
os.environ["DATA_DIR"] = str(SCRATCH / "queue")
set_cache_folder()  # reuse what numba compiled at set-up

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache

from app import create_app
from app.auth import accounts, passwords
from app.config import Settings
from app.extensions import db, limiter
from app.integrations.openrouter import conversation
from app.models import Subscription, User
from app.models.base import transaction
from tests.fake_openrouter import FakeOpenRouter, running_openrouter
from tests.live import EngineProcess, Product
from tests.support import PASSWORD, ApiScript, Browser


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of a failed test's processes to its report."""
    report = yield
    if report.failed:
        for served in getattr(item, "funcargs", {}).values():
            if isinstance(served, Product | EngineProcess):
                report.sections.append((f"Log of {type(served).__name__}", served.log))
    return report


# The slowest start first, so that no core is still busy with one of them when the others are done.
SLOWEST = (
    "tests/queue/",
    "tests/ui/",
    "tests/services/",
    "tests/billing/test_webhook_order.py",
    "tests/search/",
)
WAITING = 1.5  # many tests wait for processes and browsers, so there are more of them at work than cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first; files and the tests in them keep their order otherwise."""
    place = {folder: number for number, folder in enumerate(SLOWEST)}
    items.sort(
        key=lambda item: min(
            (place[each] for each in SLOWEST if item.nodeid.startswith(each)), default=len(place)
        )
    )


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their parameter: compressed ones may have the time in them, and each process its own."""
    return argname if isinstance(val, bytes) else None


def pytest_xdist_auto_num_workers() -> int:
    return round(WAITING * (os.cpu_count() or 1))


def pytest_sessionfinish() -> None:
    shutil.rmtree(SCRATCH, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hash passwords with the product's function, but with parameters that make it quick."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", quick)
        patch.setattr(passwords, "UNKNOWN_HASH", quick.hash("nobody has this password"))
        yield


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Keep compiled templates, which are the same for the app of every test."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated database file, which is copied for each test; `make mutants` has one ready."""
    if ready := os.environ.get("MIGRATED_LIBRARY"):
        return Path(ready)
    folder = tmp_path_factory.mktemp("migrated")
    app = create_app(Settings.from_env({"DATA_DIR": str(folder)}))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()
    return folder / "library.db"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the settings of the app under test; a test module may override this fixture."""
    return {"DATA_DIR": str(tmp_path / "instance"), "FREE_IMMEDIATE_FILES": "0"}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the pauses between two attempts to ask a model."""
    monkeypatch.setattr(conversation, "PAUSES_S", (0.0, 0.0))


@pytest.fixture
def fake(at_once: None) -> Iterator[FakeOpenRouter]:
    """Serve a fake OpenRouter, for tests whose `environ` names its address."""
    with running_openrouter() as made:
        yield made


@pytest.fixture
def app(environ: dict[str, str], migrated: Path, compiled: FileSystemBytecodeCache) -> Iterator[Flask]:
    settings = Settings.from_env(environ)
    settings.data_dir.mkdir(parents=True)
    shutil.copy(migrated, settings.data_dir / "library.db")
    app = create_app(settings)
    app.testing = True
    app.jinja_env.bytecode_cache = compiled
    with app.app_context():
        limiter.reset()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def engine_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """Start a real engine process whose child runs `tests.engine.misbehaving_child`."""
    with EngineProcess(tmp_path_factory.mktemp("engine")) as process:
        yield process


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def owner(app: Flask) -> User:
    """Return a producer on the Pro plan."""
    return _member("owner@example.com", "pro")


@pytest.fixture
def stranger(app: Flask) -> User:
    """Return another producer, who must never see anything of the owner's."""
    return _member("stranger@example.com", "pro")


@pytest.fixture
def freeloader(app: Flask) -> User:
    """Return a producer on the Free plan."""
    return accounts.register_user("free@example.com", PASSWORD, "Europe/Berlin")


@pytest.fixture
def as_owner(app: Flask, owner: User) -> Browser:
    return Browser(app, owner)


@pytest.fixture
def as_stranger(app: Flask, stranger: User) -> Browser:
    return Browser(app, stranger)


@pytest.fixture
def as_freeloader(app: Flask, freeloader: User) -> Browser:
    return Browser(app, freeloader)


@pytest.fixture
def script(app: Flask, owner: User) -> ApiScript:
    """Return a client of the owner with a token that has every ability."""
    return ApiScript(app, owner)


def _member(email: str, plan: str) -> User:
    user = accounts.register_user(email, PASSWORD, "UTC")
    with transaction():
        user.subscription = Subscription(plan=plan, status="active")
    return user
