"""Pages of the account settings: security, AI, data export, closing the account, and API tokens."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from flask_login import current_user, logout_user
from wtforms.fields.choices import SelectChoice

import tasks
from app.account import closing, data_export, kept_archives
from app.account.forms import (
    AiForm,
    ChangeEmailForm,
    ChangePasswordForm,
    CloseAccountForm,
    TokenForm,
    TwoFactorOffForm,
    TwoFactorOnForm,
)
from app.ai import budget, model_choice
from app.auth import accounts, address_change, api_tokens, credentials, login_sessions, two_factor_login
from app.auth.form_fields import offer_to_end_tokens, unreachable_reason, wants_tokens_ended
from app.auth.requesters import describe_requester
from app.extensions import limiter
from app.form_responses import Page, render_form, see_other
from app.mail_addresses import normalize_address
from app.models import ApiToken, UserSession
from app.models.ownership import owned_by

blueprint = Blueprint("account", __name__, url_prefix="/settings")

MISMATCH_MESSAGE = "That is not your current password."


def _account_key() -> str:
    """Return the rate limit key that counts password guesses per account."""
    return f"account:{current_user.id}"


@blueprint.get("/security")
def security() -> Page:
    return _security_page()


@blueprint.post("/password")
@limiter.limit("10/hour", key_func=_account_key)
def change_password() -> Page:
    form = ChangePasswordForm()
    offer_to_end_tokens(form, current_user)
    if not _is_confirmed(form):
        return _security_page(password_form=form)
    ended = credentials.change_password(
        current_user, form.password.data or "", current_user.session_id, wants_tokens_ended(form)
    )
    message = f"Password changed. {ended.describe('other session')}".strip()
    return see_other("account.security", message)


@blueprint.post("/email")
@limiter.limit("10/hour", key_func=_account_key)
def change_email() -> Page:
    form = ChangeEmailForm()
    if not _is_confirmed(form):
        return _security_page(email_form=form)
    requester = describe_requester(request.remote_addr or "", request.user_agent.string)
    address_change.request_email_change(current_user, form.email.data or "", requester)
    message = "We've emailed a link to the new address. Nothing changes until you open it."
    return see_other("account.security", message)


@blueprint.post("/verification")
@limiter.limit("10/hour", key_func=_account_key)
def send_verification() -> Page:
    reason = unreachable_reason(current_user.email)
    if reason is not None:
        return see_other("account.security", reason, "error")
    credentials.request_verification(current_user)
    return see_other("account.security", "We've emailed you a link. Open it to confirm your email address.")


@blueprint.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Page:
    login_sessions.end_session(owned_by(current_user, UserSession, session_id).id)
    return see_other("account.security", "That browser has been signed out.")


@blueprint.post("/sessions/end")
def end_sessions() -> Page:
    ended = credentials.sign_out_everywhere(current_user)
    logout_user()
    return see_other("auth.sign_in", f"You are signed out everywhere. {ended.describe()}".strip())


@blueprint.get("/two-factor")
def two_factor() -> Page:
    _reject_demo_account()
    is_on = two_factor_login.is_enabled(current_user)
    return _two_factor_page(TwoFactorOffForm() if is_on else TwoFactorOnForm())


@blueprint.post("/two-factor")
@limiter.limit("20/hour", key_func=_account_key)
def two_factor_on() -> Page:
    _reject_demo_account()
    form = TwoFactorOnForm()
    if form.validate_on_submit():
        codes = two_factor_login.confirm_setup(current_user, form.code.data or "")
        if codes is not None:
            return render_template("account/recovery.html", codes=codes), 201
        form.code.errors = ["That is not the code your app shows now."]
    return _two_factor_page(form)


@blueprint.post("/two-factor/off")
@limiter.limit("10/hour", key_func=_account_key)
def two_factor_off() -> Page:
    form = TwoFactorOffForm()
    if not _is_confirmed(form):
        return _two_factor_page(form)
    two_factor_login.disable(current_user)
    return see_other("account.security", "Two-factor authentication is off.")


@blueprint.get("/ai")
@blueprint.post("/ai")
def ai_page() -> Page:
    """Choose whether a model may describe samples, and which model is asked first."""
    models = model_choice.offered_models(current_user)
    first = next(iter(model_choice.ordered_models(current_user)), None)
    form = AiForm(ai_allowed=current_user.ai_allowed, ai_model=first)
    form.ai_model.choices = [SelectChoice(name) for name in models]
    if not form.validate_on_submit():
        return _ai_page(form, models)
    model_choice.choose_model(current_user, form.ai_allowed.data, form.ai_model.data)
    return see_other("account.ai_page", "Saved.")


@blueprint.get("/data")
def data() -> Page:
    return _data_page(CloseAccountForm())


@blueprint.post("/exports")
@limiter.limit("5/hour", key_func=_account_key)
def ask_for_export() -> Page:
    try:
        data_export.request_export(current_user)
    except data_export.ExportTooSoonError:
        message = "Your last export is less than a day old. Download that one, or come back later."
        return see_other("account.data", message, "error")
    tasks.wake(tasks.make_exports)
    return see_other("account.data", "We are making the ZIP and will email you a link to it.")


@blueprint.get("/exports/latest")
def latest_export() -> Page:
    """Redirect the owner to the ZIP that is kept for the account."""
    return redirect(kept_archives.own_url(current_user))


@blueprint.get("/exports/<token>")
def export(token: str) -> Page:
    """Redirect to the ZIP. The signed token is the permission, as the account may be deleted by now."""
    return redirect(kept_archives.download_url(token))


@blueprint.post("/close")
@limiter.limit("10/hour", key_func=_account_key)
def close_account() -> Page:
    form = CloseAccountForm()
    if not (form.validate_on_submit() and _can_close(form)):
        return _data_page(form)
    closing.close_account(current_user)
    tasks.wake(tasks.make_exports)
    logout_user()
    message = (
        "Your account is closed. We'll delete everything in it, then email you a link to a ZIP of your data, "
        "which works for a week."
    )
    return see_other("auth.sign_in", message)


@blueprint.get("/tokens")
def list_tokens() -> Page:
    return _tokens_page(TokenForm())


@blueprint.post("/tokens")
@limiter.limit("60/hour")
def make_token() -> Page:
    """Create a token and show its secret in this one response: no URL, session or log ever holds it."""
    form = TokenForm()
    if not form.validate_on_submit():
        return _tokens_page(form)
    name, abilities, days = form.name.data or "", form.abilities.data or [], int(form.days.data or 0) or None
    try:
        token, secret = api_tokens.create_token(current_user, name, abilities, days)
    except api_tokens.TooManyTokensError:
        form.name.errors = [f"You already have {api_tokens.MAX_TOKENS} tokens. Revoke one first."]
        return _tokens_page(form)
    return render_template("account/token.html", token=token, secret=secret), 201


@blueprint.post("/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> Page:
    token = owned_by(current_user, ApiToken, token_id)
    api_tokens.revoke_token(token)
    return see_other("account.list_tokens", f"The token {token.name} no longer works.")


def _is_confirmed(form: ChangeEmailForm | TwoFactorOffForm | ChangePasswordForm) -> bool:
    """Return whether the form is valid and the current password in it is right; add an error if it is not."""
    if not form.validate_on_submit():
        return False
    if not accounts.is_current_password(current_user, form.current.data or ""):
        form.current.errors = [MISMATCH_MESSAGE]
        return False
    return True


def _can_close(form: CloseAccountForm) -> bool:
    """Return whether address and password match the account; an account without a password needs none."""
    if normalize_address(form.email.data or "") != normalize_address(current_user.email):
        form.email.errors = ["That is not the address of this account."]
        return False
    if current_user.password_hash and not accounts.is_current_password(current_user, form.current.data or ""):
        form.current.errors = [MISMATCH_MESSAGE]
        return False
    reason = address_change.reason_to_wait(current_user)
    if reason is not None:
        form.email.errors = [reason]
        return False
    return True


def _reject_demo_account() -> None:
    """Answer 404 to the demo account: it has no password, so there is nothing to add a second step to."""
    if current_user.password_hash is None:
        abort(404)


def _ai_page(form: AiForm, models: tuple[str, ...]) -> Page:
    is_set_up = budget.has_models(current_user)
    return render_form(
        "account/ai.html",
        form=form,
        models=models if is_set_up else (),
        is_set_up=is_set_up,
        unavailable_reason=budget.unavailable_reason(current_user),
        budgets=budget.user_budgets(current_user.id),
    )


def _data_page(form: CloseAccountForm) -> Page:
    exports = data_export.list_exports(current_user)
    next_at = data_export.next_export_at(exports)
    return render_form("account/data.html", form=form, exports=exports, next_at=next_at)


def _two_factor_page(form: TwoFactorOnForm | TwoFactorOffForm) -> Page:
    if isinstance(form, TwoFactorOffForm):
        return render_form("account/two_factor.html", form=form, is_on=True)
    setup = two_factor_login.begin_setup(current_user)
    path, width = two_factor_login.qr_code_path(two_factor_login.provisioning_uri(current_user, setup))
    qr_code = {"secret": setup.secret, "path": path, "width": width}
    return render_form("account/two_factor.html", form=form, is_on=False, **qr_code)


def _security_page(
    email_form: ChangeEmailForm | None = None, password_form: ChangePasswordForm | None = None
) -> Page:
    if password_form is None:
        password_form = ChangePasswordForm(formdata=None)
        offer_to_end_tokens(password_form, current_user)
    return render_form(
        "account/security.html",
        email_form=email_form or ChangeEmailForm(formdata=None),
        password_form=password_form,
        sessions=login_sessions.list_sessions(current_user),
        this_session=current_user.session_id,
        two_factor=two_factor_login.is_enabled(current_user),
    )


def _tokens_page(form: TokenForm) -> Page:
    return render_form("account/tokens.html", form=form, tokens=api_tokens.list_tokens(current_user))
