"""Every setting, read from the environment once."""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# A name that starts like one of ours and is not one of ours is a typing mistake, so it is refused.
OUR_PREFIXES = ("S3_", "SMTP_", "MAIL_", "STRIPE_", "OPENROUTER_", "FREE_TIER_", "DATABASE_", "REDIS_")
NOT_OURS = frozenset({"STRIPE_LIVE_TEST_KEY"})


class ConfigError(Exception):
    """The environment cannot be used; the message lists every mistake in it."""


def _scheme(*allowed: str) -> AfterValidator:
    def check(url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in allowed or not parts.hostname:
            raise ValueError(f"must look like {allowed[0]}://host, with one of: {', '.join(allowed)}")
        return url.rstrip("/")

    return AfterValidator(check)


def _database_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"sqlite", "postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must start with postgresql:// or sqlite:///")
    return url if scheme == "sqlite" else f"postgresql+psycopg://{rest}"


HttpUrl = Annotated[str, _scheme("https", "http")]


class Settings(BaseModel):
    """The settings of one process. Environment names are these in upper case; README.md explains each."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    data_dir: Path = Path("instance")
    secret_key: Annotated[str, Field(min_length=32)] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 5000
    base_url: HttpUrl = Field(default_factory=lambda known: f"http://127.0.0.1:{known.get('port', 5000)}")
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    worker_slots: Annotated[int, Field(ge=1, le=64)] = 2

    database_url: Annotated[str, AfterValidator(_database_url)] | None = None
    redis_url: Annotated[str, _scheme("redis", "rediss")] | None = None

    s3_bucket: str | None = None
    s3_endpoint_url: HttpUrl | None = None
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = None
    s3_region: str = "auto"

    smtp_url: Annotated[str, _scheme("smtp", "smtps")] | None = None
    mail_from: str = "SP404MK2 Sample Agent <agent@localhost>"

    free_tier_delay_s: Annotated[int, Field(ge=0, le=7 * 86400)] = 43200

    openrouter_api_key: str | None = None
    openrouter_base_url: HttpUrl = "https://openrouter.ai/api/v1"

    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    stripe_api_base: HttpUrl = "https://api.stripe.com"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings, or raise one ConfigError that names every mistake."""
        known = {name.upper(): name for name in cls.model_fields}
        values = {known[name]: value for name, value in environ.items() if name in known and value.strip()}
        problems = _unknown_names(environ, known)
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            problems += [_problem(detail) for detail in error.errors()]
        if problems:
            raise ConfigError("The settings can't be used:\n" + "\n".join(f"  {line}" for line in problems))
        return settings

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = []
        if not self.embedded and self.secret_key is None:
            missing.append("SECRET_KEY: needed as soon as any production setting is given (32+ characters)")
        if self.s3_bucket and not (self.s3_access_key_id and self.s3_secret_access_key):
            missing.append("S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: needed with S3_BUCKET")
        if self.s3_endpoint_url and not self.s3_bucket:
            missing.append("S3_BUCKET: needed with S3_ENDPOINT_URL")
        if self.stripe_secret_key and not self.stripe_webhook_secret:
            missing.append("STRIPE_WEBHOOK_SECRET: needed with STRIPE_SECRET_KEY")
        if missing:
            raise ValueError("\n  ".join(missing))
        return self

    @property
    def embedded(self) -> bool:
        """Nothing outside this machine is configured: a producer's own computer, never a deployment."""
        outside = (
            self.database_url,
            self.redis_url,
            self.s3_bucket,
            self.smtp_url,
            self.stripe_secret_key,
            self.secret_key,
        )
        return not any(outside) and urlsplit(self.base_url).hostname in LOOPBACK_HOSTS

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'library.db'}"

    @property
    def effective_secret_key(self) -> str:
        return self.secret_key or _kept_secret(self.data_dir / "secret_key")


def _unknown_names(environ: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    strangers = sorted(
        name
        for name in environ
        if name.startswith(OUR_PREFIXES) and name not in known and name not in NOT_OURS
    )
    return [f"{name}: no such setting{_suggestion(name, known)}" for name in strangers]


def _suggestion(name: str, known: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _problem(detail: Any) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    name = "_".join(str(part) for part in detail["loc"] if not str(part).startswith("function"))
    return f"{name.upper()}: {message}" if name else message


def _kept_secret(path: Path) -> str:
    """Generate the key of an embedded run once; web and worker may both get here first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()
