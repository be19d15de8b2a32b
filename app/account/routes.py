"""What lies behind the settings: tokens of the JSON API."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.account.forms import TokenForm
from app.auth import tokens
from app.extensions import limiter

blueprint = Blueprint("account", __name__, url_prefix="/settings")

Page = str | tuple[str, int] | Response


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
    token = tokens.owned_by(current_user, token_id)
    tokens.revoke(token)
    flash(f"The token {token.name} opens nothing any more.")
    return redirect(url_for("account.list_tokens"), 303)


def _tokens_page(form: TokenForm) -> str:
    return render_template("account/tokens.html", form=form, tokens=tokens.of(current_user))
