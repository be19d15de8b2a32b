"""The pages that sign in: password, second step, and a mailed link. `auth.routes` gives them their URLs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import abort, redirect, render_template, request, session, url_for
from flask_login import login_user
from flask_wtf import FlaskForm
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from app import mail_wakeup
from app.auth import (
    accounts,
    known_devices,
    login_sessions,
    sign_in_attempts,
    sign_in_links,
    two_factor_login,
)
from app.auth.forms import SecondStepForm, SignInForm
from app.auth.guess_limits import TooManyGuessesError
from app.auth.login_sessions import AccessEndedError
from app.extensions import db, settings
from app.form_responses import Page, render_form, see_other
from app.models import User
from app.models.base import release_connection
from app.models.user_session import SIGN_IN
from app.notify import mail_links
from app.notify.mail_links import DeadLinkError

# A form that mails a link always takes this long, so its duration does not reveal whether an account exists.
MIN_MAILING_S = 0.4
# Between the right password and the second step, the cookie's session holds the sign-in for this long.
PENDING_SIGN_IN, PENDING_SIGN_IN_S = "half_way", 600
WRONG_PASSWORDS = (
    "There were too many wrong passwords for this address. If it has an account, we've emailed a link to it. "
    "Open the link to sign in."
)
WRONG_CODES = (
    "There were too many wrong codes for this account. We've emailed its owner a link. "
    "Open the link, then enter your code."
)


def sign_in() -> Page:
    form = SignInForm()
    if not form.validate_on_submit():
        return form_page("auth/sign_in.html", form)
    email = form.email.data or ""
    try:
        user = sign_in_attempts.check_password(email, form.password.data or "")
    except TooManyGuessesError as refusal:
        return _mail_link("auth/sign_in.html", form, email, WRONG_PASSWORDS, refusal.retry_after_s)
    if user is not None:
        return _after_password(user, bool(form.remember.data))
    form.password.errors = ["The email address or the password is wrong."]
    return form_page("auth/sign_in.html", form)


def second_step() -> Page:
    user = _pending_user()
    if user is None:
        message = "That took too long. Sign in again."
        return see_other("auth.sign_in", message, "error", next=request.args.get("next"))
    form = SecondStepForm()
    if not form.validate_on_submit():
        return form_page("auth/second_step.html", form)
    came_by_link = bool(session[PENDING_SIGN_IN].get("link"))
    try:
        is_right = sign_in_attempts.check_code(user, form.code.data or "", came_by_link=came_by_link)
    except TooManyGuessesError as refusal:
        two_factor_login.warn_of_guesses(user)
        return _mail_link("auth/second_step.html", form, user.email, WRONG_CODES, refusal.retry_after_s)
    if is_right:
        return sign_in_and_continue(user, session.pop(PENDING_SIGN_IN)["remember"])
    form.code.errors = ["That code is wrong or was already used."]
    return form_page("auth/second_step.html", form)


def sign_in_by_link(token: str) -> Page:
    """Sign in by a mailed link, after a button, because mail scanners open links."""
    link = mail_links.find_live_link(token, SIGN_IN)
    if request.method == "GET":
        return render_template("auth/confirm.html", link=link, heading="Sign in", label="Sign in")
    user = sign_in_links.use_link(link)
    if user is None:
        raise DeadLinkError
    return _after_password(user, remember=False, came_by_link=True)


def demo() -> Response:
    """Sign in to the demo account of a local run; a deployment answers 404."""
    if not settings().embedded:
        abort(404)
    return sign_in_and_continue(accounts.demo_user(), remember=True)


def form_page(template: str, form: FlaskForm) -> Page:
    """Render a page with one form, which remembers where to go after signing in."""
    return render_form(template, form=form, next=request.args.get("next", ""))


def start_session(user: User, response: Response, remember: bool = False) -> Response:
    """Sign the user in, and return the response with the cookie that makes this browser known."""
    accounts.start_session(user, request.remote_addr or "", request.user_agent.string)
    login_user(user, remember=remember)
    if user.password_hash is not None:
        known_devices.remember_device(response, user)
    return response


def sign_in_and_continue(user: User, remember: bool) -> Response:
    """Sign in and return to the page that asked for it."""
    try:
        return start_session(user, redirect(_safe_next_url(), 303), remember)
    except AccessEndedError:
        return see_other("auth.sign_in", "The password was changed a moment ago. Sign in again.", "error")


@contextmanager
def take_at_least(seconds: float) -> Iterator[None]:
    """Make the block take at least this long, whatever it does."""
    until = time.monotonic() + seconds
    yield
    release_connection()
    time.sleep(max(until - time.monotonic(), 0))


def _mail_link(template: str, form: FlaskForm, email: str, sentence: str, retry_after_s: int) -> Page:
    """Show the form again with 429, after mailing the owner a link that signs in."""
    try:
        with take_at_least(MIN_MAILING_S):
            sign_in_links.request_link(email)
    except TooManyGuessesError as refusal:
        raise TooManyRequests(retry_after=refusal.retry_after_s) from refusal
    mail_wakeup.expect_mail()
    page = render_template(template, form=form, next=request.args.get("next", ""), refusal=sentence)
    return Response(page, 429, {"Retry-After": str(retry_after_s)}, mimetype="text/html")


def _after_password(user: User, remember: bool, came_by_link: bool = False) -> Response:
    """Sign in, or go on to the second step when the account has one."""
    if not two_factor_login.is_enabled(user):
        return sign_in_and_continue(user, remember)
    session[PENDING_SIGN_IN] = {
        "user": user.id,
        "password": user.proven_stamp,
        "remember": remember,
        "link": came_by_link,
        "at": time.time(),
    }
    return see_other("auth.second_step", next=request.args.get("next"))


def _pending_user() -> User | None:
    """Return the user who gave the right password a moment ago, unless it was changed since."""
    pending = session.get(PENDING_SIGN_IN)
    if pending is None or pending["at"] < time.time() - PENDING_SIGN_IN_S:
        return None
    user = db.session.get(User, pending["user"])
    if user is None or login_sessions.credential_stamp(user) != pending["password"]:
        return None
    user.proven_stamp = pending["password"]
    return user


def _safe_next_url() -> str:
    """Return the `next` path if it is on this site, else the dashboard; a host or backslash leads away."""
    target = request.args.get("next", "")
    is_local = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if is_local and target.isprintable() else url_for("pages.dashboard")
