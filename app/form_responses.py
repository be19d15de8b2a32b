"""Read and answer form requests the same way on every page: render the errors, or redirect with 303."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

MAX_WHOLE_NUMBER = 2**31 - 1  # the largest value of an integer column in PostgreSQL
Page = str | tuple[str, int] | Response


def render_form(template: str, **context: Any) -> tuple[str, int]:
    """Render a page that holds forms; the status is 422 when any of them has errors, otherwise 200."""
    forms = [value for value in context.values() if isinstance(value, FlaskForm)]
    status = 422 if any(form.errors for form in forms) else 200
    return render_template(template, **context), status


def see_other(endpoint: str, message: str = "", category: str = "message", **values: Any) -> Response:
    """Redirect to an endpoint after a POST, and show the message there if one is given."""
    if message:
        flash(message, category)
    return redirect(url_for(endpoint, **values), 303)


def form_texts() -> list[str]:
    """Return the name and value of every field of the request's form, and the name of every file.

    A part of a multipart body may have no name; then the name is None.
    """
    names_and_values = [text for pair in request.form.items(multi=True) for text in pair]
    files = [text for name, file in request.files.items(multi=True) for text in (name, file.filename)]
    return [text or "" for text in (*names_and_values, *files)]


def parse_whole_number(text: str) -> int | None:
    """Return a number from a URL or a hidden field, or None for text that no valid row or time has."""
    if not text.isdecimal() or len(text) > len(str(MAX_WHOLE_NUMBER)):
        return None
    return min(int(text), MAX_WHOLE_NUMBER)
