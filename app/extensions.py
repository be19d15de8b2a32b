"""The Flask extensions, not yet bound to an app, and access to the running app's settings."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app
from flask_login import LoginManager, decode_cookie, encode_cookie
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from app.config import Settings
from app.rate_limits import NetworkLimiter

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of all models; constraints are named by convention, so migrations can address them."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)


class RotatingLoginManager(LoginManager):  # type: ignore[misc]  # Flask-Login has no types
    """Flask-Login, accepting "Keep me signed in" also by the keys before SECRET_KEY."""

    def _load_user_from_remember_cookie(self, cookie: str) -> Any:
        user = super()._load_user_from_remember_cookie(cookie)
        for key in settings().former_secret_keys if user is None else ():
            if user_id := decode_cookie(cookie, key=key):
                return super()._load_user_from_remember_cookie(encode_cookie(user_id))
        return user


db = SQLAlchemy(model_class=Base)
migrate = Migrate(directory="migrations", render_as_batch=True)
login_manager = RotatingLoginManager()
csrf = CSRFProtect()
limiter = NetworkLimiter()


def settings() -> Settings:
    """Return the settings of the current app."""
    return cast(Settings, current_app.config["SETTINGS"])
