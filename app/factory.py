"""Build the Flask app: configuration, extensions, blueprints, error pages and commands."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import cli, errors, logs, mail_wakeup, request_watch, security, static_files, templating, tracing
from app.account.routes import blueprint as account
from app.admin.routes import blueprint as admin
from app.alike.routes import blueprint as alike
from app.api.routes import blueprint as api
from app.auth import accounts
from app.auth.routes import blueprint as auth
from app.billing.routes import blueprint as billing
from app.cards.card_purpose import CARD_PURPOSE
from app.cards.routes import blueprint as cards
from app.collections.routes import blueprint as collections
from app.config import LOOPBACK_HOSTS, Settings
from app.deduplication.routes import blueprint as duplicates
from app.extensions import csrf, db, limiter, login_manager, migrate
from app.imports.import_purpose import KIT_IMPORT_PURPOSE
from app.imports.routes import blueprint as imports
from app.jobs import poll_views, purposes
from app.jobs.routes import blueprint as jobs
from app.kits.routes import blueprint as kits
from app.library.bulk_views import blueprint as bulk
from app.library.bundle_job import BUNDLE_PURPOSE
from app.library.bundle_views import blueprint as bundles
from app.library.list_views import blueprint as listing
from app.library.routes import blueprint as library
from app.models.base import configure_sqlite
from app.pages.routes import blueprint as pages
from app.reprocessing.reprocess_purposes import ANALYSE_PURPOSE, DESCRIBE_PURPOSE
from app.reprocessing.routes import blueprint as reprocessing
from app.shaping.archive_purpose import ARCHIVE_PURPOSE
from app.shaping.render_purposes import PREVIEW_PURPOSE, RENDER_PURPOSE
from app.shaping.routes import blueprint as shaping
from app.upload.demo_jobs import DEMO_PURPOSE
from app.upload.routes import blueprint as upload
from app.upload.slice_purpose import SLICE_PURPOSE
from app.upload.spool import SpoolingRequest
from app.upload.upload_purpose import UPLOAD_PURPOSE
from app.upload.zip_purpose import UNPACK_PURPOSE
from app.webhooks.routes import blueprint as webhooks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROOT = Path(__file__).resolve().parent.parent
MAX_FORM_BYTES = 2 * 10**6


def build_app(settings: Settings | None = None) -> Flask:
    """Return an app with these settings, or with those of the environment."""
    settings = settings or Settings.from_env(os.environ)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs.configure_logging(settings.log_format)
    tracing.configure_tracing(settings, "web")
    app = Flask(__name__, root_path=str(ROOT), static_folder=None)
    app.request_class = SpoolingRequest
    request_watch.init_app(app)
    app.config.from_mapping(_flask_config(settings))
    _init_extensions(app)
    _register_blueprints(app)
    purposes.register(
        UPLOAD_PURPOSE,
        DEMO_PURPOSE,
        SLICE_PURPOSE,
        UNPACK_PURPOSE,
        ANALYSE_PURPOSE,
        DESCRIBE_PURPOSE,
        RENDER_PURPOSE,
        PREVIEW_PURPOSE,
        ARCHIVE_PURPOSE,
        CARD_PURPOSE,
        BUNDLE_PURPOSE,
        KIT_IMPORT_PURPOSE,
    )
    static_files.init_app(app)
    templating.init_app(app)
    security.init_app(app, poll_views.answer_unchanged_poll)
    mail_wakeup.init_app(app)
    errors.init_app(app)
    cli.init_app(app)
    if settings.base_path:
        below = _below_path(app.wsgi_app, settings.base_path)
        app.wsgi_app = below  # type: ignore[method-assign, assignment]  # Flask documents this wrapping
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        proxied = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # Flask documents this wrapping
    return app


def _below_path(app: WSGIApplication, path: str) -> WSGIApplication:
    """Return the app for a path of a host: a proxy in front takes the path away, our links begin with it."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = path
        return app(environ, start_response)

    return serve


def _flask_config(settings: Settings) -> dict[str, object]:
    https = settings.base_url.startswith("https://")
    return {
        "SETTINGS": settings,
        "SECRET_KEY": settings.effective_secret_key,
        "SECRET_KEY_FALLBACKS": settings.former_secret_keys[::-1],
        "WTF_CSRF_SECRET_KEY": settings.signing_keys,
        "APPLICATION_ROOT": settings.base_path or "/",  # cookies are for the addresses below it
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_pre_ping": True,
            "pool_size": 8,
            "max_overflow": 24,
            "hide_parameters": True,  # an error would write addresses and hashes to the log
        },
        "MAX_CONTENT_LENGTH": MAX_FORM_BYTES,
        # A local run accepts no other host names, which prevents DNS rebinding. In a deployment the proxy
        # decides: health checks come by IP address, and no URL of ours is made from a Host header.
        "TRUSTED_HOSTS": sorted(LOOPBACK_HOSTS) if settings.embedded else None,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": https,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SECURE": https,
        "WTF_CSRF_TIME_LIMIT": None,
        "RATELIMIT_STORAGE_URI": settings.redis_url or "memory://",
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
    }


def _init_extensions(app: Flask) -> None:
    db.init_app(app)
    migrate.init_app(app, db)
    csrf.init_app(app)
    limiter.init_app(app)
    login_manager.init_app(app)
    login_manager.user_loader(accounts.user_from_cookie)
    with app.app_context():
        configure_sqlite(db.engine)


def _register_blueprints(app: Flask) -> None:
    for blueprint in (
        pages,
        auth,
        account,
        billing,
        upload,
        jobs,
        library,
        bulk,
        bundles,
        collections,
        listing,
        kits,
        alike,
        duplicates,
        reprocessing,
        shaping,
        cards,
        imports,
        admin,
        api,
        webhooks,
    ):
        app.register_blueprint(blueprint)
