"""What lies behind the settings: address, password, sessions, and tokens of the JSON API."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

import tasks
from app.account.forms import AiForm, CloseForm, CodeForm, EmailForm, OffForm, PasswordForm, TokenForm
from app.ai import budget, model_choice
from app.auth import accounts, data_export, mailbox, sessions, tokens, twofactor
from app.extensions import limiter
from app.models import ApiToken, UserSession
from app.models.ownership import owned_by

blueprint = Blueprint("account", __name__, url_prefix="/settings")

Page = str | tuple[str, int] | Response
NOT_IT = "That is not your present password."


def _account() -> str:
    """One counter for each account whose password is guessed at."""
    return f"account:{current_user.id}"


@blueprint.get("/security")
def security() -> Page:
    return _security_page(EmailForm(formdata=None), PasswordForm(formdata=None))


@blueprint.post("/password")
@limiter.limit("10/hour", key_func=_account)
def change_password() -> Page:
    form = PasswordForm()
    if not _is_allowed(form):
        return _security_page(EmailForm(formdata=None), form), 422
    mailbox.change_password(current_user, form.password.data or "", current_user.session_id)
    flash("The password is changed, and every other session has ended.")
    return redirect(url_for("account.security"), 303)


@blueprint.post("/email")
@limiter.limit("10/hour", key_func=_account)
def change_email() -> Page:
    form = EmailForm()
    if not _is_allowed(form):
        return _security_page(form, PasswordForm(formdata=None)), 422
    mailbox.ask_to_change(current_user, form.email.data or "")
    flash("A link is on its way to the new address. Nothing changes until you open it.")
    return redirect(url_for("account.security"), 303)


@blueprint.post("/verification")
@limiter.limit("10/hour", key_func=_account)
def send_verification() -> Page:
    mailbox.ask_to_verify(current_user)
    flash("A link is on its way to your address.")
    return redirect(url_for("account.security"), 303)


@blueprint.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Page:
    sessions.end(owned_by(current_user, UserSession, session_id).id)
    flash("That browser is signed out.")
    return redirect(url_for("account.security"), 303)


@blueprint.post("/sessions/end")
def end_sessions() -> Page:
    sessions.end_all(current_user)
    logout_user()
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.get("/two-factor")
def two_factor() -> Page:
    _refuse_demo()
    return _two_factor_page(OffForm() if twofactor.is_on(current_user) else CodeForm())


@blueprint.post("/two-factor")
@limiter.limit("20/hour", key_func=_account)
def two_factor_on() -> Page:
    _refuse_demo()
    form = CodeForm()
    codes = twofactor.confirm(current_user, form.code.data or "") if form.validate_on_submit() else None
    if codes is not None:
        return render_template("account/recovery.html", codes=codes), 201
    form.code.errors = form.code.errors or ["That is not the code the app shows now."]
    return _two_factor_page(form), 422


@blueprint.post("/two-factor/off")
@limiter.limit("10/hour", key_func=_account)
def two_factor_off() -> Page:
    form = OffForm()
    if not _is_allowed(form):
        return _two_factor_page(form), 422
    twofactor.turn_off(current_user)
    flash("The second step is off.")
    return redirect(url_for("account.security"), 303)


@blueprint.get("/ai")
@blueprint.post("/ai")
def ai_page() -> Page:
    """Whether a model may describe, and which is asked first."""
    models = model_choice.offered(current_user)
    first = next(iter(model_choice.in_order(current_user)), None)
    form = AiForm(ai_allowed=current_user.ai_allowed, ai_model=first)
    form.ai_model.choices = [SelectChoice(name) for name in models]
    if not form.validate_on_submit():
        return _ai_page(form, models), 422 if form.errors else 200
    model_choice.choose(current_user, form.ai_allowed.data, form.ai_model.data)
    flash("Saved.")
    return redirect(url_for("account.ai_page"), 303)


@blueprint.get("/data")
def data() -> Page:
    return _data_page(CloseForm())


@blueprint.post("/exports")
@limiter.limit("5/hour", key_func=_account)
def ask_for_export() -> Page:
    data_export.ask(current_user)
    tasks.wake_exports()
    flash("The ZIP is being made. A link will be mailed to you.")
    return redirect(url_for("account.data"), 303)


@blueprint.get("/exports/<token>")
def export(token: str) -> Page:
    """The signature is the permission: the account may be gone."""
    return redirect(data_export.open_link(token))


@blueprint.post("/close")
@limiter.limit("10/hour", key_func=_account)
def close_account() -> Page:
    form = CloseForm()
    if form.validate_on_submit() and _may_close(form):
        data_export.close(current_user)
        tasks.wake_exports()
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
        token, secret = tokens.make(current_user, form.name.data or "", form.abilities.data or [], days)
    except tokens.TooManyTokensError:
        form.name.errors = [f"There are {tokens.MOST_TOKENS} tokens already. Revoke one first."]
        return _tokens_page(form), 422
    return render_template("account/token.html", token=token, secret=secret), 201


@blueprint.post("/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> Page:
    token = owned_by(current_user, ApiToken, token_id)
    tokens.revoke(token)
    flash(f"The token {token.name} opens nothing any more.")
    return redirect(url_for("account.list_tokens"), 303)


def _is_allowed(form: EmailForm | OffForm | PasswordForm) -> bool:
    """The form is right and so is the present password in it."""
    if not form.validate_on_submit():
        return False
    if not accounts.is_password(current_user, form.current.data or ""):
        form.current.errors = [NOT_IT]
        return False
    return True


def _may_close(form: CloseForm) -> bool:
    if accounts.normal_email(form.email.data or "") != current_user.email:
        form.email.errors = ["That is not the address of this account."]
        return False
    if current_user.password_hash and not accounts.is_password(current_user, form.current.data or ""):
        form.current.errors = [NOT_IT]
        return False
    return True


def _ai_page(form: AiForm, models: tuple[str, ...]) -> str:
    is_set_up = budget.is_set_up(current_user)
    return render_template(
        "account/ai.html",
        form=form,
        models=models if is_set_up else (),
        is_set_up=is_set_up,
        silence=budget.silence(current_user),
        budgets=budget.own_budgets(current_user.id),
    )


def _data_page(form: CloseForm) -> str:
    return render_template("account/data.html", form=form, exports=data_export.of(current_user))


def _refuse_demo() -> None:
    """Who signs in without a password has no second step either."""
    if current_user.password_hash is None:
        abort(404)


def _two_factor_page(form: CodeForm | OffForm) -> str:
    if isinstance(form, OffForm):
        return render_template("account/two_factor.html", form=form, is_on=True)
    found = twofactor.begin(current_user)
    path, width = twofactor.square(twofactor.address(current_user, found))
    shown = {"secret": found.secret, "path": path, "width": width}
    return render_template("account/two_factor.html", form=form, is_on=False, **shown)


def _security_page(email_form: EmailForm, password_form: PasswordForm) -> str:
    return render_template(
        "account/security.html",
        email_form=email_form,
        password_form=password_form,
        sessions=sessions.of(current_user),
        this_session=current_user.session_id,
        two_factor=twofactor.is_on(current_user),
    )


def _tokens_page(form: TokenForm) -> str:
    return render_template("account/tokens.html", form=form, tokens=tokens.of(current_user))
