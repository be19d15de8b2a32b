"""Registering, signing in and out, and the settings of an account."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

import tasks
from app.auth import accounts, credentials, login_sessions, registration, two_factor_login
from app.auth.forms import (
    ForgotPasswordForm,
    RegisterEmailForm,
    RegisterForm,
    ResetPasswordForm,
    SecondStepForm,
    SettingsForm,
    SignInForm,
)
from app.extensions import db, limiter, settings
from app.models import User
from app.models.base import transaction, utcnow
from app.models.user_session import CHANGE, RESET, VERIFY
from app.notify import mail_links

blueprint = Blueprint("auth", __name__)

Page = str | tuple[str, int] | Response
Form = (
    RegisterEmailForm
    | SecondStepForm
    | ForgotPasswordForm
    | RegisterForm
    | ResetPasswordForm
    | SettingsForm
    | SignInForm
)

# Known and unknown addresses are answered after the same time.
MIN_MAILING_S = 0.4
# The password was right; so long the second step is waited for.
PENDING_SIGN_IN, PENDING_SIGN_IN_S = "half_way", 600
REGISTRATION_LINK_SENT = "A link is on its way to this address. It completes the registration."
RESET_LINK_SENT = "If there is an account with this address, a link is on its way to it."


def _email_key() -> str:
    """One counter for each account that is guessed at, from wherever."""
    return hashlib.sha256(request.form.get("email", "").strip().lower().encode()).hexdigest()


@blueprint.get("/sign-in")
@blueprint.post("/sign-in")
@limiter.limit("30/hour", methods=["POST"])
@limiter.limit("10/hour", methods=["POST"], key_func=_email_key)
def sign_in() -> Page:
    form = SignInForm()
    if form.validate_on_submit():
        user = accounts.authenticate(form.email.data or "", form.password.data or "")
        if user is not None:
            return _after_password(user, bool(form.remember.data))
        form.password.errors = ["The email address or the password is not right."]
    return _form_page("auth/sign_in.html", form)


def _pending_sign_in_key() -> str:
    """One counter for each account whose second step is guessed at."""
    return f"second-step:{session.get(PENDING_SIGN_IN, {}).get('user')}"


@blueprint.get("/sign-in/code")
@blueprint.post("/sign-in/code")
@limiter.limit("10/hour", methods=["POST"], key_func=_pending_sign_in_key)
def second_step() -> Page:
    user = _pending_user()
    if user is None:
        flash("Sign in from the start: that took too long.", "error")
        return redirect(url_for("auth.sign_in", next=request.args.get("next")), 303)
    form = SecondStepForm()
    if form.validate_on_submit():
        if two_factor_login.accept_code(user, form.code.data or ""):
            _sign_in_user(user, remember=session.pop(PENDING_SIGN_IN)["remember"])
            return redirect(_safe_next_url(), 303)
        form.code.errors = ["That code is not right, or was used already."]
    return _form_page("auth/second_step.html", form)


@blueprint.post("/demo")
def demo() -> Response:
    """One click into a local run; a deployment has no such page."""
    if not settings().embedded:
        abort(404)
    _sign_in_user(accounts.demo_user(), remember=True)
    return redirect(_safe_next_url(), 303)


@blueprint.get("/register")
@blueprint.post("/register")
@limiter.limit("20/hour", methods=["POST"])
@limiter.limit("10/hour", methods=["POST"], key_func=_email_key)
def register() -> Page:
    form = RegisterEmailForm() if registration.needs_email_link() else RegisterForm()
    if not form.validate_on_submit():
        return _form_page("auth/register.html", form)
    if isinstance(form, RegisterForm):
        return _register_and_sign_in(form, "auth/register.html")
    with _take_at_least(MIN_MAILING_S):
        registration.request_link(form.email.data or "")
    tasks.wake(tasks.send_mails)
    flash(REGISTRATION_LINK_SENT)
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.get("/register/<token>")
@blueprint.post("/register/<token>")
@limiter.limit("30/hour", methods=["POST"])
def finish_registration(token: str) -> Page:
    """The link came back from the mailbox, so the password is chosen by whoever reads it."""
    form = RegisterForm()
    form.email.data = registration.email_from_token(token)
    if not form.validate_on_submit():
        return _form_page("auth/finish_registration.html", form)
    return _register_and_sign_in(form, "auth/finish_registration.html", is_proven=True)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    login_sessions.end_session(current_user.session_id)
    logout_user()
    return redirect(url_for("pages.landing"), 303)


@blueprint.get("/forgotten-password")
@blueprint.post("/forgotten-password")
@limiter.limit("20/hour", methods=["POST"])
@limiter.limit("5/hour", methods=["POST"], key_func=_email_key)
def forgot() -> Page:
    form = ForgotPasswordForm()
    if not form.validate_on_submit():
        return _form_page("auth/forgot.html", form)
    with _take_at_least(MIN_MAILING_S):
        credentials.request_reset(form.email.data or "")
    tasks.wake(tasks.send_mails)
    flash(RESET_LINK_SENT)
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.get("/new-password/<token>")
@blueprint.post("/new-password/<token>")
@limiter.limit("30/hour", methods=["POST"])
def reset(token: str) -> Page:
    link = mail_links.find_live_link(token, RESET)
    form = ResetPasswordForm()
    if not form.validate_on_submit():
        status = 422 if form.errors else 200
        return render_template("auth/reset.html", form=form, link=link), status
    credentials.reset_password(link, form.password.data or "")
    flash("The new password is set. Sign in with it.")
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.get("/confirm/<token>")
@blueprint.post("/confirm/<token>")
def verify(token: str) -> Page:
    """A button, because mail scanners follow links."""
    link = mail_links.find_live_link(token, VERIFY)
    if request.method == "GET":
        words = {"heading": "Confirm your address", "label": "It is mine"}
        return render_template("auth/confirm.html", link=link, **words)
    credentials.verify_email(link)
    flash("Your email address is confirmed.")
    return redirect(url_for("pages.dashboard"), 303)


@blueprint.get("/confirm-change/<token>")
@blueprint.post("/confirm-change/<token>")
def confirm_email(token: str) -> Page:
    link = mail_links.find_live_link(token, CHANGE)
    if request.method == "GET":
        words = {"heading": "Use this address from now on", "label": "Use it"}
        return render_template("auth/confirm.html", link=link, **words)
    try:
        credentials.change_email(link)
    except accounts.EmailTakenError:
        flash("There is another account with this address, so yours was not changed.", "error")
    else:
        flash("Your email address is changed.")
    return redirect(url_for("pages.dashboard"), 303)


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


def _form_page(template: str, form: Form) -> Page:
    status = 422 if form.errors else 200
    return render_template(template, form=form, next=request.args.get("next", "")), status


def _register_and_sign_in(form: RegisterForm, template: str, is_proven: bool = False) -> Page:
    """Signed in at once. Where registering is by mail, only the mailbox's owner comes as far as this."""
    email, password, zone = form.email.data or "", form.password.data or "", form.timezone.data or "UTC"
    try:
        user = accounts.register_user(email, password, zone, is_proven)
    except accounts.EmailTakenError:
        form.email.errors = ["There is an account with this address already. Sign in instead."]
        return _form_page(template, form)
    credentials.request_verification(user)
    _sign_in_user(user)
    return redirect(url_for("upload.index"), 303)


def _after_password(user: User, remember: bool) -> Response:
    if not two_factor_login.is_enabled(user):
        _sign_in_user(user, remember)
        return redirect(_safe_next_url(), 303)
    session[PENDING_SIGN_IN] = {
        "user": user.id,
        "password": _password_fingerprint(user),
        "remember": remember,
        "at": time.time(),
    }
    return redirect(url_for("auth.second_step", next=request.args.get("next")), 303)


def _pending_user() -> User | None:
    """Who has given the right password moments ago, and has it still."""
    found = session.get(PENDING_SIGN_IN)
    if found is None or found["at"] < time.time() - PENDING_SIGN_IN_S:
        return None
    user = db.session.get(User, found["user"])
    return user if user is not None and _password_fingerprint(user) == found["password"] else None


def _password_fingerprint(user: User) -> str:
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()[:16]


def _sign_in_user(user: User, remember: bool = False) -> None:
    accounts.start_session(user, request.remote_addr or "", request.user_agent.string)
    login_user(user, remember=remember)


@contextmanager
def _take_at_least(seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    yield
    time.sleep(max(until - time.monotonic(), 0))


def _safe_next_url() -> str:
    """Only a path of our own: anything with a host or a backslash could lead elsewhere."""
    target = request.args.get("next", "")
    ours = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if ours and target.isprintable() else url_for("pages.dashboard")
