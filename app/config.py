"""Define every setting and read them from the environment."""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# Setting any of these makes the run a deployment instead of a local one.
DEPLOYMENT_SETTINGS = frozenset(
    {"database_url", "redis_url", "s3_bucket", "smtp_url", "stripe_secret_key", "secret_key"}
)
# A variable whose name is this similar to a setting, without being one, is taken for a typo.
TYPO_CUTOFF = 0.85
MIN_TYPO_LENGTH = 8
# OpenTelemetry has many more variables of its own, whose names are like each other; its library reads them.
FOREIGN_PREFIX = "OTEL_"
MIN_KEY_LENGTH = 32
# The engine's own process needs no secret keys.
UNUSED_BY_ENGINE = frozenset({"secret_key", "s3_access_key_id", "s3_secret_access_key"})


class ConfigError(Exception):
    """The environment cannot be used; the message lists every mistake in it."""


def _url_with_scheme(*allowed: str) -> AfterValidator:
    def check(url: str) -> str:
        parts = urlsplit(url)
        # Reading the port raises ValueError if it is not a number.
        if parts.scheme not in allowed or not parts.hostname or parts.port == 0:
            raise ValueError(f"must look like {allowed[0]}://host, with one of: {', '.join(allowed)}")
        return url.rstrip("/")

    return AfterValidator(check)


def _normalize_database_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"sqlite", "postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must start with postgresql:// or sqlite:///")
    return url if scheme == "sqlite" else f"postgresql+psycopg://{rest}"


def _require_ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("must contain ASCII characters only")
    return text


def _require_long_keys(keys: str) -> str:
    if any(len(key) < MIN_KEY_LENGTH for key in keys.split()):
        raise ValueError(f"must be keys of {MIN_KEY_LENGTH}+ characters, separated by spaces")
    return keys


HttpUrl = Annotated[str, _url_with_scheme("https", "http")]


class Settings(BaseModel):
    """The settings of one process, named in upper case in the environment; README.md explains each."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    data_dir: Path = Path("instance")
    secret_key: Annotated[str, Field(min_length=MIN_KEY_LENGTH)] | None = None
    secret_key_fallbacks: Annotated[str, AfterValidator(_require_long_keys)] | None = None
    drain_s: Annotated[int, Field(ge=0, le=300)] = 0
    port: Annotated[int, Field(ge=1, le=65535)] = 5000
    bind: str = "127.0.0.1"
    base_url: HttpUrl = "http://127.0.0.1:5000"
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    media_by_nginx: bool = False
    worker_slots: Annotated[int, Field(ge=1, le=64)] = 2

    database_url: Annotated[str, AfterValidator(_normalize_database_url)] | None = None
    redis_url: Annotated[str, _url_with_scheme("redis", "rediss")] | None = None

    s3_bucket: str | None = None
    s3_endpoint_url: HttpUrl | None = None
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = None
    s3_region: str = "auto"

    smtp_url: Annotated[str, _url_with_scheme("smtp", "smtps")] | None = None
    mail_from: str = "SP404MK2 Sample Agent <agent@localhost>"

    job_limit_s: Annotated[float, Field(ge=1, le=3600)] = 300.0
    user_running_max: Annotated[int, Field(ge=1, le=1000)] = 8
    paid_slots: Annotated[int, Field(ge=0, le=64)] = 1
    free_tier_delay_s: Annotated[int, Field(ge=0, le=7 * 86400)] = 43200
    free_immediate_files: Annotated[int, Field(ge=0, le=100_000)] = 10

    engine_url: HttpUrl | None = None
    engine_secret: Annotated[str, Field(min_length=32), AfterValidator(_require_ascii)] | None = None
    engine_port: Annotated[int, Field(ge=1, le=65535)] = 5001
    engine_slots: Annotated[int, Field(ge=1, le=64)] = 2

    webhooks_to_loopback: bool = False
    api_requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 300

    similar_cache_mb: Annotated[int, Field(ge=1, le=100_000)] = 256

    storage_usd_per_gb_month: Annotated[Decimal, Field(ge=0, le=100)] = Decimal("0.015")

    metrics_token: Annotated[str, Field(min_length=16)] | None = None
    log_format: Literal["text", "json"] = "text"

    otel_traces_exporter: Literal["none", "otlp"] = "none"
    otel_exporter_otlp_endpoint: HttpUrl = "http://localhost:4318"
    otel_service_name: str | None = None

    openrouter_api_key: str | None = None
    openrouter_base_url: HttpUrl = "https://openrouter.ai/api/v1"
    vibe_model_free: str = "qwen/qwen3-8b"
    vibe_model_pro: str = "qwen/qwen3-235b-a22b-2507,qwen/qwen3-8b"
    vibe_model_enterprise: str = "qwen/qwen3-235b-a22b-2507,qwen/qwen3-8b"
    vibe_sample_max_usd: Annotated[float, Field(ge=0, le=10)] = 0.02
    vibe_max_prompt_usd: Annotated[float, Field(gt=0, le=1000)] = 0.5
    vibe_max_completion_usd: Annotated[float, Field(gt=0, le=1000)] = 1.5
    ai_user_day_usd: Annotated[float, Field(ge=0)] = 1.0
    ai_user_month_usd: Annotated[float, Field(ge=0)] = 5.0
    ai_service_day_usd: Annotated[float, Field(ge=0)] = 10.0
    ai_service_month_usd: Annotated[float, Field(ge=0)] = 100.0

    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    stripe_api_base: HttpUrl = "https://api.stripe.com"
    stripe_trial_days: Annotated[int, Field(ge=0, le=730)] = 0
    stripe_promotion_codes: bool = True
    stripe_automatic_tax: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str], excused: frozenset[str] = frozenset()) -> Self:
        """Read the settings, or raise one ConfigError that lists every mistake.

        The `excused` settings may be missing even when others demand them.
        """
        known = {name.upper(): name for name in cls.model_fields}
        given = {known[name]: value for name, value in environ.items() if name in known and value.strip()}
        if given.get("port", "").isdigit():
            given.setdefault("base_url", f"http://127.0.0.1:{given['port']}")
        problems = _misspelt_settings(environ, known) + _missing_settings(given, excused)
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            problems += [_problem_line(detail) for detail in error.errors()]
        if problems:
            raise ConfigError("The settings can't be used:\n" + "\n".join(f"  {line}" for line in problems))
        return settings

    @classmethod
    def for_engine(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings of the engine's own process: ENGINE_SECRET is required, other secrets are not."""
        if not environ.get("ENGINE_SECRET", "").strip():
            raise ConfigError("ENGINE_SECRET: required to run the engine (32+ characters)")
        return cls.from_env(environ, UNUSED_BY_ENGINE)

    @property
    def embedded(self) -> bool:
        """Return whether this is a local run: nothing outside this machine is set up."""
        return _is_embedded(self.model_dump(exclude_none=True))

    @property
    def origin(self) -> str:
        """Return scheme and host of BASE_URL, as a browser sends them in an Origin header."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def base_path(self) -> str:
        """Return the path of BASE_URL, such as `/sampler`; empty when the product has a host of its own."""
        return urlsplit(self.base_url).path

    @property
    def sqlalchemy_url(self) -> str:
        """Return DATABASE_URL, or the SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'library.db'}"

    @property
    def effective_secret_key(self) -> str:
        """Return SECRET_KEY, or a local run's own key, which is created on first use."""
        return self.secret_key or _stored_secret(self.data_dir / "secret_key")

    @property
    def signing_keys(self) -> list[str]:
        """Return the keys that signatures may have been made with, and last the key that signs now."""
        return [*self.former_secret_keys, self.effective_secret_key]

    @property
    def former_secret_keys(self) -> list[str]:
        """Return the keys of SECRET_KEY_FALLBACKS, the latest last."""
        return (self.secret_key_fallbacks or "").split()


def _is_embedded(given: Mapping[str, Any]) -> bool:
    reachable = {urlsplit(str(given.get("base_url", ""))).hostname, given.get("bind")} - {None}
    return reachable <= LOOPBACK_HOSTS and not DEPLOYMENT_SETTINGS & given.keys()


def _missing_settings(given: Mapping[str, str], excused: frozenset[str]) -> list[str]:
    """Return a line for every setting that the given ones require and that is missing."""
    demands = [
        (not _is_embedded(given), "secret_key", "needed with any production setting (32+ characters)"),
        ("s3_bucket" in given, "s3_access_key_id", "needed with S3_BUCKET"),
        ("s3_bucket" in given, "s3_secret_access_key", "needed with S3_BUCKET"),
        ("s3_endpoint_url" in given, "s3_bucket", "needed with S3_ENDPOINT_URL"),
        ("s3_bucket" in given and "s3_endpoint_url" not in given, "s3_region", "needed on Amazon's S3"),
        ("engine_url" in given, "engine_secret", "needed with ENGINE_URL (32+ characters)"),
        ("stripe_secret_key" in given, "stripe_webhook_secret", "needed with STRIPE_SECRET_KEY"),
    ]
    present = given.keys() | excused
    return [f"{name.upper()}: {why}" for when, name, why in demands if when and name not in present]


def _misspelt_settings(environ: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """Return a line for every variable that looks like a misspelt setting."""
    problems = []
    for name in sorted(environ.keys() - known.keys()):
        if name.startswith(FOREIGN_PREFIX):
            continue
        close = (
            difflib.get_close_matches(name, known, n=1, cutoff=TYPO_CUTOFF)
            if len(name) >= MIN_TYPO_LENGTH
            else []
        )
        problems += [f"{name}: no such setting (did you mean {close[0]}?)" for _ in close]
    return problems


def _problem_line(detail: Any) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    name = "_".join(str(part) for part in detail["loc"] if not str(part).startswith("function"))
    return f"{name.upper()}: {message}" if name else message


def _stored_secret(path: Path) -> str:
    """Return the key stored in a file, creating it once, however many processes and threads ask first."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as draft, suppress(FileExistsError):
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            os.link(draft.name, path)
    return path.read_text()
