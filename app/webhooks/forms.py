"""The form for a webhook endpoint."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.models.webhook_endpoint import EVENTS, EXPORT_READY, JOB_COMPLETED, JOB_FAILED

EVENT_LABELS = {
    JOB_COMPLETED: "a job is done",
    JOB_FAILED: "a job has failed",
    EXPORT_READY: "the ZIP of your data is ready",
}


def require_one_event(_: FlaskForm, field: SelectMultipleField) -> None:
    """Not DataRequired, which would have the browser demand every box."""
    if not field.data:
        raise ValidationError("Choose at least one event.")


class EndpointForm(FlaskForm):
    url = StringField(
        "Address",
        [DataRequired("Enter the address of your receiver."), Length(max=500)],
        description="https://… on a public machine",
    )
    events = SelectMultipleField(
        "It is told when",
        [require_one_event],
        choices=[SelectChoice(event, f"{event}: {EVENT_LABELS[event]}") for event in EVENTS],
        default=list(EVENTS),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
