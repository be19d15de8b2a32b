"""Registering, signing in and out, and the settings of an account."""

from __future__ import annotations

import hashlib

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from app.auth import accounts
from app.auth.forms import RegisterForm, SettingsForm, SignInForm
from app.extensions import limiter, settings
from app.models.base import transaction, utcnow

blueprint = Blueprint("auth", __name__)

Page = str | tuple[str, int] | Response


def _account_tried() -> str:
    """One counter for each account that is guessed at, from wherever."""
    return hashlib.sha256(request.form.get("email", "").strip().lower().encode()).hexdigest()


@blueprint.get("/sign-in")
@blueprint.post("/sign-in")
@limiter.limit("30/hour", methods=["POST"])
@limiter.limit("10/hour", methods=["POST"], key_func=_account_tried)
def sign_in() -> Page:
    form = SignInForm()
    if form.validate_on_submit():
        user = accounts.authenticate(form.email.data or "", form.password.data or "")
        if user is not None:
            login_user(user, remember=form.remember.data)
            return redirect(_safe_next(), 303)
        form.password.errors = ["The email address or the password is not right."]
    return _form_page("auth/sign_in.html", form)


@blueprint.post("/demo")
def demo() -> Response:
    """One click into a local run; a deployment has no such page."""
    if not settings().embedded:
        abort(404)
    login_user(accounts.demo_user(), remember=True)
    return redirect(_safe_next(), 303)


@blueprint.get("/register")
@blueprint.post("/register")
@limiter.limit("20/hour", methods=["POST"])
def register() -> Page:
    form = RegisterForm()
    if form.validate_on_submit():
        try:
            user = accounts.register(
                form.email.data or "", form.password.data or "", form.timezone.data or "UTC"
            )
        except accounts.EmailTakenError:
            form.email.errors = ["There is an account with this address already. Sign in instead."]
        else:
            login_user(user)
            return redirect(url_for("upload.index"), 303)
    return _form_page("auth/register.html", form)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    logout_user()
    return redirect(url_for("pages.landing"), 303)


@blueprint.get("/settings")
@blueprint.post("/settings")
def account_settings() -> Page:
    form = SettingsForm(obj=current_user)
    if form.validate_on_submit():
        with transaction():
            if form.timezone.data != current_user.timezone:
                current_user.timezone_changed_at = utcnow()
            form.populate_obj(current_user)
        flash("Settings saved.")
        return redirect(url_for("auth.account_settings"), 303)
    return _form_page("auth/settings.html", form)


def _form_page(template: str, form: SignInForm | RegisterForm | SettingsForm) -> Page:
    status = 422 if form.errors else 200
    return render_template(template, form=form, next=request.args.get("next", "")), status


def _safe_next() -> str:
    """Only a path of our own: anything with a host or a backslash could lead elsewhere."""
    target = request.args.get("next", "")
    ours = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if ours and target.isprintable() else url_for("pages.dashboard")
