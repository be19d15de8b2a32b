"""Webhook endpoints in the settings: added, looked at, tried again, removed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import tasks
from app.extensions import limiter
from app.integrations.webhook_client import RefusedUrlError
from app.models import WebhookEndpoint
from app.models.ownership import owned_by
from app.notify import webhook_delivery
from app.webhooks.forms import EndpointForm

blueprint = Blueprint("webhooks", __name__, url_prefix="/settings/webhooks")

Page = str | tuple[str, int] | Response


@blueprint.get("")
def index() -> Page:
    return _index_page(EndpointForm())


@blueprint.post("")
@limiter.limit("60/hour")
def add() -> Page:
    form = EndpointForm()
    if not form.validate_on_submit():
        return _index_page(form), 422
    try:
        endpoint = webhook_delivery.add_endpoint(current_user, form.url.data or "", form.events.data or [])
    except RefusedUrlError as refusal:
        form.url.errors = [str(refusal)]
        return _index_page(form), 422
    except webhook_delivery.TooManyEndpointsError:
        form.url.errors = [f"There are {webhook_delivery.MAX_ENDPOINTS} already. Remove one first."]
        return _index_page(form), 422
    return redirect(url_for("webhooks.detail", endpoint_id=endpoint.id), 303)


@blueprint.get("/<endpoint_id>")
def detail(endpoint_id: str) -> Page:
    endpoint = owned_by(current_user, WebhookEndpoint, endpoint_id)
    return render_template(
        "webhooks/detail.html", endpoint=endpoint, log=webhook_delivery.list_deliveries(endpoint)
    )


@blueprint.post("/<endpoint_id>/remove")
def remove(endpoint_id: str) -> Page:
    webhook_delivery.remove_endpoint(owned_by(current_user, WebhookEndpoint, endpoint_id))
    flash("The endpoint is removed.")
    return redirect(url_for("webhooks.index"), 303)


@blueprint.post("/<endpoint_id>/enable")
def enable(endpoint_id: str) -> Page:
    endpoint = owned_by(current_user, WebhookEndpoint, endpoint_id)
    webhook_delivery.enable_endpoint(endpoint)
    return redirect(url_for("webhooks.detail", endpoint_id=endpoint.id), 303)


@blueprint.post("/<endpoint_id>/deliveries/<delivery_id>/replay")
@limiter.limit("120/hour")
def replay(endpoint_id: str, delivery_id: str) -> Page:
    endpoint = owned_by(current_user, WebhookEndpoint, endpoint_id)
    webhook_delivery.replay_delivery(webhook_delivery.find_delivery(endpoint, delivery_id))
    tasks.wake(tasks.send_webhooks)
    flash("It is sent once more, under the same id.")
    return redirect(url_for("webhooks.detail", endpoint_id=endpoint.id), 303)


def _index_page(form: EndpointForm) -> str:
    return render_template(
        "webhooks/index.html", form=form, endpoints=webhook_delivery.list_endpoints(current_user)
    )
