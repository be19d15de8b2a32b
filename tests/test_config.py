"""Settings: all mistakes are reported together, and any production setting ends the local run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.config import ConfigError, Settings

SECRET = "s" * 40


def test_an_empty_environment_is_a_local_run(tmp_path: Path) -> None:
    settings = Settings.from_env({"DATA_DIR": str(tmp_path)})
    assert settings.embedded
    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path.resolve()}/library.db"
    assert settings.free_tier_delay_s == 43200


def test_all_mistakes_are_reported_together() -> None:
    with pytest.raises(ConfigError) as told:
        Settings.from_env(
            {
                "PORT": "ninety",
                "DATABASE_URL": "mysql://x",
                "SMTP_URL": "smtp://mail.example.com:abc",
                "FREE_TIER_DELAY": "5",
                "FREE_TIER_DELAY_S": "-1",
            }
        )
    message = str(told.value)
    for name in ("PORT", "DATABASE_URL", "SMTP_URL", "FREE_TIER_DELAY_S", "SECRET_KEY"):
        assert f"\n  {name}: " in message
    assert "  BASE_URL" not in message
    assert "FREE_TIER_DELAY: no such setting (did you mean FREE_TIER_DELAY_S?)" in message


@pytest.mark.parametrize(
    "given",
    [
        {"DATABASE_URL": "postgresql://db/x"},
        {"REDIS_URL": "redis://cache"},
        {"SMTP_URL": "smtp://mail"},
        {"BASE_URL": "https://samples.example.com"},
        {"BIND": "0.0.0.0"},
        {"STRIPE_SECRET_KEY": "sk", "STRIPE_WEBHOOK_SECRET": "wh"},
    ],
)
def test_any_production_setting_requires_a_secret_and_ends_the_local_run(given: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        Settings.from_env(given)
    assert not Settings.from_env({**given, "SECRET_KEY": SECRET}).embedded


def test_a_bucket_needs_its_keys() -> None:
    with pytest.raises(ConfigError, match="S3_ACCESS_KEY_ID"):
        Settings.from_env({"SECRET_KEY": SECRET, "S3_BUCKET": "b"})


def test_a_local_runs_secret_is_created_once_and_private(tmp_path: Path) -> None:
    first = Settings.from_env({"DATA_DIR": str(tmp_path)}).effective_secret_key
    second = Settings.from_env({"DATA_DIR": str(tmp_path)}).effective_secret_key
    assert first == second
    assert len(first) >= 32
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_threads_that_create_the_secret_together_get_the_same_one(tmp_path: Path) -> None:
    """Several uploads at the very start of a run all open the store, which signs its links with it."""
    with ThreadPoolExecutor(8) as threads:
        for number in range(50):
            settings = Settings.from_env({"DATA_DIR": str(tmp_path / str(number))})
            keys = list(threads.map(lambda _, of=settings: of.effective_secret_key, range(8)))
            assert len(set(keys)) == 1
            assert [path.name for path in settings.data_dir.iterdir()] == ["secret_key"]


def test_the_address_follows_the_port() -> None:
    assert Settings.from_env({"PORT": "5050"}).base_url == "http://127.0.0.1:5050"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_postgres_scheme_uses_the_installed_driver(scheme: str) -> None:
    settings = Settings.from_env({"DATABASE_URL": f"{scheme}://u@h/d", "SECRET_KEY": SECRET})
    assert settings.sqlalchemy_url == "postgresql+psycopg://u@h/d"


def test_other_programs_variables_are_ignored() -> None:
    Settings.from_env({"REDIS_TLS_URL": "x", "STRIPE_LIVE_TEST_KEY": "x", "SSH_PORT": "22", "HOME": "/"})
    with pytest.raises(ConfigError, match="did you mean TRUSTED_PROXIES"):
        Settings.from_env({"TRUSTED_PROXY": "1"})


def test_amazon_s3_needs_its_region() -> None:
    store = {"S3_BUCKET": "b", "S3_ACCESS_KEY_ID": "k", "S3_SECRET_ACCESS_KEY": "s", "SECRET_KEY": SECRET}
    with pytest.raises(ConfigError, match="S3_REGION"):
        Settings.from_env(store)
    assert Settings.from_env(store | {"S3_REGION": "eu-west-1"}).s3_region == "eu-west-1"


def test_a_remote_engine_needs_its_secret() -> None:
    elsewhere = {"ENGINE_URL": "http://10.0.0.7:5001/"}
    for given in ({}, {"ENGINE_SECRET": "short"}, {"ENGINE_SECRET": "é" * 40}):
        with pytest.raises(ConfigError, match="ENGINE_SECRET"):
            Settings.from_env(elsewhere | given)
    assert Settings.from_env(elsewhere | {"ENGINE_SECRET": SECRET}).engine_url == "http://10.0.0.7:5001"
