"""Pages for registering, signing in and out, links from mails, and the general settings of an account."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response

from app import mail_wakeup
from app.auth import accounts, address_change, credentials, login_sessions, registration, sign_in_views
from app.auth.form_fields import offer_to_end_tokens, wants_tokens_ended
from app.auth.forms import (
    ForgotPasswordForm,
    RegisterEmailForm,
    RegisterForm,
    ResetPasswordForm,
    SettingsForm,
)
from app.auth.guess_limits import account_key
from app.auth.sign_in_views import MIN_MAILING_S, form_page, start_session, take_at_least
from app.extensions import limiter
from app.form_responses import Page, render_form, see_other
from app.models.user_session import CHANGE, RESET, STOP, VERIFY
from app.notify import mail_links
from app.rate_limits import client_network

blueprint = Blueprint("auth", __name__)

REGISTRATION_LINK_SENT = "We've emailed you a link. Open it to finish signing up."
ADDRESS_GONE = (
    "Nobody can sign in to your account any more, but another account uses your old address now. "
    "Tell the people who run this service, and they can give your account back to you."
)
ADDRESS_TAKEN = (
    "Another account uses this address, or used it in the last 72 hours. If it is yours, sign in instead."
)
RESET_LINK_SENT = (
    "If that email address has an account, we've sent a link to it. Open it to set a new password."
)


def _address_here_key() -> str:
    """Return the rate limit key of an address and a network, so that strangers use up only their own."""
    return f"{account_key(request.form.get('email', ''))}:{client_network()}"


for _rule, _view in (
    ("/sign-in", sign_in_views.sign_in),
    ("/sign-in/code", sign_in_views.second_step),
    ("/sign-in/link/<token>", sign_in_views.sign_in_by_link),
):
    blueprint.add_url_rule(_rule, view_func=_view, methods=["GET", "POST"])
blueprint.add_url_rule("/demo", view_func=sign_in_views.demo, methods=["POST"])


@blueprint.get("/register")
@blueprint.post("/register")
@limiter.limit("20/hour", methods=["POST"])
@limiter.limit("10/hour", methods=["POST"], key_func=_address_here_key)
def register() -> Page:
    form = RegisterEmailForm() if registration.needs_email_link() else RegisterForm()
    if not form.validate_on_submit():
        return form_page("auth/register.html", form)
    if isinstance(form, RegisterForm):
        return _register_and_sign_in(form, "auth/register.html")
    with take_at_least(MIN_MAILING_S):
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
        return form_page("auth/finish_registration.html", form)
    return _register_and_sign_in(form, "auth/finish_registration.html", is_verified=True)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    login_sessions.end_session(current_user.session_id)
    logout_user()
    return see_other("pages.landing")


@blueprint.get("/forgotten-password")
@blueprint.post("/forgotten-password")
@limiter.limit("20/hour", methods=["POST"])
@limiter.limit("5/hour", methods=["POST"], key_func=_address_here_key)
def forgot() -> Page:
    form = ForgotPasswordForm()
    if not form.validate_on_submit():
        return form_page("auth/forgot.html", form)
    with take_at_least(MIN_MAILING_S):
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
        return see_other("pages.dashboard", f"{ADDRESS_TAKEN} Yours was not changed.", "error")
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
        return form_page("auth/settings.html", form)
    accounts.change_settings(
        current_user,
        key_notation=form.key_notation.data,
        timezone=form.timezone.data,
        autoplay=form.autoplay.data,
        mail_on_completion=form.mail_on_completion.data,
    )
    return see_other("auth.account_settings", "Settings saved.")


def _register_and_sign_in(form: RegisterForm, template: str, is_verified: bool = False) -> Page:
    """Create the account and sign in, or show the form again when the address has an account already."""
    email, password, zone = form.email.data or "", form.password.data or "", form.timezone.data or "UTC"
    try:
        user = accounts.register_user(email, password, zone, is_verified)
    except accounts.EmailTakenError:
        form.email.errors = [ADDRESS_TAKEN]
        return form_page(template, form)
    credentials.request_verification(user)
    return start_session(user, see_other("upload.index"))
