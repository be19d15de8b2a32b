"""The form that adds a webhook endpoint."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from app.auth.form_fields import checkbox_list
from app.models.webhook_endpoint import (
    EVENTS,
    EXPORT_READY,
    JOB_COMPLETED,
    JOB_FAILED,
    KIT_EXPORT_FAILED,
    KIT_EXPORT_READY,
)

EVENT_LABELS = {
    JOB_COMPLETED: "a job is done",
    JOB_FAILED: "a job has failed",
    EXPORT_READY: "the ZIP of your data is ready",
    KIT_EXPORT_READY: "the card of a kit is ready",
    KIT_EXPORT_FAILED: "the card of a kit could not be made",
}


class EndpointForm(FlaskForm):
    url = StringField(
        "URL",
        [DataRequired("Enter the URL of your endpoint."), Length(max=500)],
        description="An https:// URL that the internet can reach",
    )
    events = checkbox_list("Events", EVENT_LABELS, "Choose at least one event.", default=EVENTS)
