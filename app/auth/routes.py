"""Pages for registering, signing in and out, links from mails, and the general settings of an account."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from app import mail_wakeup
from app.auth import (
    accounts,
    address_change,
    credentials,
    login_sessions,
    registration,
    two_factor_login,
)
from app.auth.form_fields import offer_to_end_tokens, wants_tokens_ended
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
from app.form_responses import Page, render_form, see_other
from app.mail_addresses import normalize_address
from app.models import User
from app.models.user_session import CHANGE, RESET, STOP, VERIFY
from app.notify import mail_links

blueprint = Blueprint("auth", __name__)

# A form that mails a link always takes this long, so its duration does not tell whether an account exists.
MIN_MAILING_S = 0.4
# Between the right password and the second step, the cookie's session holds the sign-in for this long.
PENDING_SIGN_IN, PENDING_SIGN_IN_S = "half_way", 600
REGISTRATION_LINK_SENT = "We've emailed you a link. Open it to finish signing up."
ADDRESS_GONE = (
    "Nobody can open the account any more, but another account uses your old address now. "
    "Tell the people who run this service, so that they can give it back to you."
)
RESET_LINK_SENT = (
    "If that email address has an account, we've sent a link to it. Open it to set a new password."
)


def _email_key() -> str:
    """Return the rate limit key that counts attempts per email address, wherever they come from."""
    return hashlib.sha256(normalize_address(request.form.get("email", "")).encode()).hexdigest()


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
        form.password.errors = ["The email address or the password is wrong."]
    return _form_page("auth/sign_in.html", form)


def _pending_sign_in_key() -> str:
    """Return the rate limit key that counts guesses at the second step per account."""
    return f"second-step:{session.get(PENDING_SIGN_IN, {}).get('user')}"


@blueprint.get("/sign-in/code")
@blueprint.post("/sign-in/code")
@limiter.limit("10/hour", methods=["POST"], key_func=_pending_sign_in_key)
def second_step() -> Page:
    user = _pending_user()
    if user is None:
        message = "That took too long. Sign in again."
        return see_other("auth.sign_in", message, "error", next=request.args.get("next"))
    form = SecondStepForm()
    if form.validate_on_submit():
        if two_factor_login.accept_code(user, form.code.data or ""):
            return _sign_in_and_continue(user, session.pop(PENDING_SIGN_IN)["remember"])
        form.code.errors = ["That code is wrong or was already used."]
    return _form_page("auth/second_step.html", form)


@blueprint.post("/demo")
def demo() -> Response:
    """Sign in to the demo account of a local run; a deployment answers 404."""
    if not settings().embedded:
        abort(404)
    return _sign_in_and_continue(accounts.demo_user(), remember=True)


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
    mail_wakeup.expect_mail()
    return see_other("auth.sign_in", REGISTRATION_LINK_SENT)


@blueprint.get("/register/<token>")
@blueprint.post("/register/<token>")
@limiter.limit("30/hour", methods=["POST"])
def finish_registration(token: str) -> Page:
    """Create the account of a mailed link; only the owner of the mailbox gets here to choose a password."""
    form = RegisterForm()
    form.email.data = registration.email_from_token(token)
    if not form.validate_on_submit():
        return _form_page("auth/finish_registration.html", form)
    return _register_and_sign_in(form, "auth/finish_registration.html", is_verified=True)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    login_sessions.end_session(current_user.session_id)
    logout_user()
    return see_other("pages.landing")


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
    mail_wakeup.expect_mail()
    return see_other("auth.sign_in", RESET_LINK_SENT)


@blueprint.get("/new-password/<token>")
@blueprint.post("/new-password/<token>")
@limiter.limit("30/hour", methods=["POST"])
def reset(token: str) -> Page:
    link = mail_links.find_live_link(token, RESET)
    form = ResetPasswordForm()
    offer_to_end_tokens(form, link.user)
    if not form.validate_on_submit():
        return render_form("auth/reset.html", form=form, link=link)
    ended = credentials.reset_password(link, form.password.data or "", wants_tokens_ended(form))
    return see_other("auth.sign_in", f"Your new password is set. Sign in with it. {ended.describe()}".strip())


@blueprint.get("/confirm/<token>")
@blueprint.post("/confirm/<token>")
def verify(token: str) -> Page:
    """Confirm an address by a button rather than by opening the link, because mail scanners open links."""
    link = mail_links.find_live_link(token, VERIFY)
    if request.method == "GET":
        texts = {"heading": "Confirm your address", "label": "Confirm address"}
        return render_template("auth/confirm.html", link=link, **texts)
    credentials.verify_email(link)
    return see_other("pages.dashboard", "Your email address is confirmed.")


@blueprint.get("/confirm-change/<token>")
@blueprint.post("/confirm-change/<token>")
def confirm_email(token: str) -> Page:
    """Change the address of an account, also by a button."""
    link = mail_links.find_live_link(token, CHANGE)
    if request.method == "GET":
        texts = {"heading": "Use this address from now on", "label": "Use this address"}
        return render_template("auth/confirm.html", link=link, **texts)
    try:
        address_change.change_email(link)
    except accounts.EmailTakenError:
        message = "Another account already uses this address, so yours was not changed."
        return see_other("pages.dashboard", message, "error")
    return see_other("pages.dashboard", "Your email address has been changed.")


@blueprint.get("/stop-change/<token>")
@blueprint.post("/stop-change/<token>")
@limiter.limit("30/hour", methods=["POST"])
def stop_change(token: str) -> Page:
    """Stop a change of address from the old one, before or after it was made."""
    link = mail_links.find_live_link(token, STOP)
    if request.method == "GET":
        return render_template("auth/stop_change.html", link=link, new=address_change.new_address(link))
    ended = address_change.stop_change(link)
    if ended is None:
        return see_other("auth.sign_in", ADDRESS_GONE, "error")
    message = f"The change is stopped. {ended.describe()}".strip()
    return see_other("auth.sign_in", f"{message} We've emailed you a link to set a new password.")


@blueprint.get("/settings")
@blueprint.post("/settings")
def account_settings() -> Page:
    form = SettingsForm(obj=current_user)
    if not form.validate_on_submit():
        return _form_page("auth/settings.html", form)
    accounts.change_settings(
        current_user,
        key_notation=form.key_notation.data,
        timezone=form.timezone.data,
        autoplay=form.autoplay.data,
        mail_on_completion=form.mail_on_completion.data,
    )
    return see_other("auth.account_settings", "Settings saved.")


def _form_page(template: str, form: FlaskForm) -> Page:
    return render_form(template, form=form, next=request.args.get("next", ""))


def _register_and_sign_in(form: RegisterForm, template: str, is_verified: bool = False) -> Page:
    """Create the account and sign in, or show the form again when the address has an account already."""
    email, password, zone = form.email.data or "", form.password.data or "", form.timezone.data or "UTC"
    try:
        user = accounts.register_user(email, password, zone, is_verified)
    except accounts.EmailTakenError:
        form.email.errors = ["There is already an account with this address. Sign in instead."]
        return _form_page(template, form)
    credentials.request_verification(user)
    _sign_in_user(user)
    return see_other("upload.index")


def _after_password(user: User, remember: bool) -> Response:
    """Sign in, or go on to the second step when the account has one."""
    if not two_factor_login.is_enabled(user):
        return _sign_in_and_continue(user, remember)
    session[PENDING_SIGN_IN] = {
        "user": user.id,
        "password": _password_fingerprint(user),
        "remember": remember,
        "at": time.time(),
    }
    return see_other("auth.second_step", next=request.args.get("next"))


def _pending_user() -> User | None:
    """Return the user who gave the right password a moment ago, unless it was changed since."""
    pending = session.get(PENDING_SIGN_IN)
    if pending is None or pending["at"] < time.time() - PENDING_SIGN_IN_S:
        return None
    user = db.session.get(User, pending["user"])
    return user if user is not None and _password_fingerprint(user) == pending["password"] else None


def _password_fingerprint(user: User) -> str:
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()[:16]


def _sign_in_user(user: User, remember: bool = False) -> None:
    accounts.start_session(user, request.remote_addr or "", request.user_agent.string)
    login_user(user, remember=remember)


def _sign_in_and_continue(user: User, remember: bool) -> Response:
    """Sign in and return to the page that asked for it."""
    _sign_in_user(user, remember)
    return redirect(_safe_next_url(), 303)


@contextmanager
def _take_at_least(seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    yield
    time.sleep(max(until - time.monotonic(), 0))


def _safe_next_url() -> str:
    """Return the `next` path if it is on this site, else the dashboard; a host or backslash leads away."""
    target = request.args.get("next", "")
    is_local = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if is_local and target.isprintable() else url_for("pages.dashboard")
