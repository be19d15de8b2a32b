"""What lies behind the settings: address, password, sessions, and tokens of the JSON API."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

import tasks
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
from app.auth import accounts, api_tokens, credentials, data_export, login_sessions, two_factor_login
from app.extensions import limiter
from app.models import ApiToken, UserSession
from app.models.ownership import owned_by

blueprint = Blueprint("account", __name__, url_prefix="/settings")

Page = str | tuple[str, int] | Response
MISMATCH_MESSAGE = "That is not your present password."


def _account_key() -> str:
    """One counter for each account whose password is guessed at."""
    return f"account:{current_user.id}"


@blueprint.get("/security")
def security() -> Page:
    return _security_page(ChangeEmailForm(formdata=None), ChangePasswordForm(formdata=None))


@blueprint.post("/password")
@limiter.limit("10/hour", key_func=_account_key)
def change_password() -> Page:
    form = ChangePasswordForm()
    if not _is_confirmed(form):
        return _security_page(ChangeEmailForm(formdata=None), form), 422
    credentials.change_password(current_user, form.password.data or "", current_user.session_id)
    flash("The password is changed, and every other session has ended.")
    return redirect(url_for("account.security"), 303)


@blueprint.post("/email")
@limiter.limit("10/hour", key_func=_account_key)
def change_email() -> Page:
    form = ChangeEmailForm()
    if not _is_confirmed(form):
        return _security_page(form, ChangePasswordForm(formdata=None)), 422
    credentials.request_email_change(current_user, form.email.data or "")
    flash("A link is on its way to the new address. Nothing changes until you open it.")
    return redirect(url_for("account.security"), 303)


@blueprint.post("/verification")
@limiter.limit("10/hour", key_func=_account_key)
def send_verification() -> Page:
    credentials.request_verification(current_user)
    flash("A link is on its way to your address.")
    return redirect(url_for("account.security"), 303)


@blueprint.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Page:
    login_sessions.end_session(owned_by(current_user, UserSession, session_id).id)
    flash("That browser is signed out.")
    return redirect(url_for("account.security"), 303)


@blueprint.post("/sessions/end")
def end_sessions() -> Page:
    login_sessions.end_all_sessions(current_user)
    logout_user()
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.get("/two-factor")
def two_factor() -> Page:
    _reject_demo_account()
    return _two_factor_page(
        TwoFactorOffForm() if two_factor_login.is_enabled(current_user) else TwoFactorOnForm()
    )


@blueprint.post("/two-factor")
@limiter.limit("20/hour", key_func=_account_key)
def two_factor_on() -> Page:
    _reject_demo_account()
    form = TwoFactorOnForm()
    codes = (
        two_factor_login.confirm_setup(current_user, form.code.data or "")
        if form.validate_on_submit()
        else None
    )
    if codes is not None:
        return render_template("account/recovery.html", codes=codes), 201
    form.code.errors = form.code.errors or ["That is not the code the app shows now."]
    return _two_factor_page(form), 422


@blueprint.post("/two-factor/off")
@limiter.limit("10/hour", key_func=_account_key)
def two_factor_off() -> Page:
    form = TwoFactorOffForm()
    if not _is_confirmed(form):
        return _two_factor_page(form), 422
    two_factor_login.disable(current_user)
    flash("The second step is off.")
    return redirect(url_for("account.security"), 303)


@blueprint.get("/ai")
@blueprint.post("/ai")
def ai_page() -> Page:
    """Whether a model may describe, and which is asked first."""
    models = model_choice.offered_models(current_user)
    first = next(iter(model_choice.ordered_models(current_user)), None)
    form = AiForm(ai_allowed=current_user.ai_allowed, ai_model=first)
    form.ai_model.choices = [SelectChoice(name) for name in models]
    if not form.validate_on_submit():
        return _ai_page(form, models), 422 if form.errors else 200
    model_choice.choose_model(current_user, form.ai_allowed.data, form.ai_model.data)
    flash("Saved.")
    return redirect(url_for("account.ai_page"), 303)


@blueprint.get("/data")
def data() -> Page:
    return _data_page(CloseAccountForm())


@blueprint.post("/exports")
@limiter.limit("5/hour", key_func=_account_key)
def ask_for_export() -> Page:
    data_export.request_export(current_user)
    tasks.wake(tasks.make_exports)
    flash("The ZIP is being made. A link will be mailed to you.")
    return redirect(url_for("account.data"), 303)


@blueprint.get("/exports/<token>")
def export(token: str) -> Page:
    """The signature is the permission: the account may be gone."""
    return redirect(data_export.download_url(token))


@blueprint.post("/close")
@limiter.limit("10/hour", key_func=_account_key)
def close_account() -> Page:
    form = CloseAccountForm()
    if form.validate_on_submit() and _can_close(form):
        data_export.close_account(current_user)
        tasks.wake(tasks.make_exports)
        logout_user()
        flash("You are signed out. The ZIP is mailed to you first; then everything is deleted.")
        return redirect(url_for("auth.sign_in"), 303)
    return _data_page(form), 422


@blueprint.get("/tokens")
def list_tokens() -> Page:
    return _tokens_page(TokenForm())


@blueprint.post("/tokens")
@limiter.limit("60/hour")
def make_token() -> Page:
    """The one answer that shows the secret: it is in no address, no session and no log."""
    form = TokenForm()
    if not form.validate_on_submit():
        return _tokens_page(form), 422
    days = int(form.days.data or 0) or None
    try:
        token, secret = api_tokens.create_token(
            current_user, form.name.data or "", form.abilities.data or [], days
        )
    except api_tokens.TooManyTokensError:
        form.name.errors = [f"There are {api_tokens.MAX_TOKENS} tokens already. Revoke one first."]
        return _tokens_page(form), 422
    return render_template("account/token.html", token=token, secret=secret), 201


@blueprint.post("/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> Page:
    token = owned_by(current_user, ApiToken, token_id)
    api_tokens.revoke_token(token)
    flash(f"The token {token.name} opens nothing any more.")
    return redirect(url_for("account.list_tokens"), 303)


def _is_confirmed(form: ChangeEmailForm | TwoFactorOffForm | ChangePasswordForm) -> bool:
    """The form is right and so is the present password in it."""
    if not form.validate_on_submit():
        return False
    if not accounts.is_current_password(current_user, form.current.data or ""):
        form.current.errors = [MISMATCH_MESSAGE]
        return False
    return True


def _can_close(form: CloseAccountForm) -> bool:
    if accounts.normalize_email(form.email.data or "") != current_user.email:
        form.email.errors = ["That is not the address of this account."]
        return False
    if current_user.password_hash and not accounts.is_current_password(current_user, form.current.data or ""):
        form.current.errors = [MISMATCH_MESSAGE]
        return False
    return True


def _ai_page(form: AiForm, models: tuple[str, ...]) -> str:
    is_set_up = budget.has_models(current_user)
    return render_template(
        "account/ai.html",
        form=form,
        models=models if is_set_up else (),
        is_set_up=is_set_up,
        silence=budget.unavailable_reason(current_user),
        budgets=budget.user_budgets(current_user.id),
    )


def _data_page(form: CloseAccountForm) -> str:
    return render_template("account/data.html", form=form, exports=data_export.list_exports(current_user))


def _reject_demo_account() -> None:
    """Who signs in without a password has no second step either."""
    if current_user.password_hash is None:
        abort(404)


def _two_factor_page(form: TwoFactorOnForm | TwoFactorOffForm) -> str:
    if isinstance(form, TwoFactorOffForm):
        return render_template("account/two_factor.html", form=form, is_on=True)
    found = two_factor_login.begin_setup(current_user)
    path, width = two_factor_login.qr_code_path(two_factor_login.provisioning_uri(current_user, found))
    shown = {"secret": found.secret, "path": path, "width": width}
    return render_template("account/two_factor.html", form=form, is_on=False, **shown)


def _security_page(email_form: ChangeEmailForm, password_form: ChangePasswordForm) -> str:
    return render_template(
        "account/security.html",
        email_form=email_form,
        password_form=password_form,
        sessions=login_sessions.list_sessions(current_user),
        this_session=current_user.session_id,
        two_factor=two_factor_login.is_enabled(current_user),
    )


def _tokens_page(form: TokenForm) -> str:
    return render_template("account/tokens.html", form=form, tokens=api_tokens.list_tokens(current_user))
