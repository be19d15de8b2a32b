"""Pages for webhook endpoints in the settings: add, view, enable and remove one, and replay a delivery."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user

import tasks
from app.extensions import limiter
from app.form_responses import Page, render_form, see_other
from app.integrations.public_addresses import RefusedUrlError
from app.models import WebhookEndpoint
from app.models.ownership import owned_by
from app.webhooks import endpoints
from app.webhooks.forms import EndpointForm

blueprint = Blueprint("webhooks", __name__, url_prefix="/settings/webhooks")


@blueprint.get("")
def index() -> Page:
    return _index_page(EndpointForm())


@blueprint.post("")
@limiter.limit("60/hour")
def add() -> Page:
    form = EndpointForm()
    if not form.validate_on_submit():
        return _index_page(form)
    try:
        endpoint = endpoints.add_endpoint(current_user, form.url.data or "", form.events.data or [])
    except RefusedUrlError as refusal:
        form.url.errors = [str(refusal)]
        return _index_page(form)
    except endpoints.TooManyEndpointsError:
        form.url.errors = [f"You already have {endpoints.MAX_ENDPOINTS} endpoints. Remove one first."]
        return _index_page(form)
    return see_other("webhooks.detail", endpoint_id=endpoint.id)


@blueprint.get("/<endpoint_id>")
def detail(endpoint_id: str) -> Page:
    endpoint = owned_by(current_user, WebhookEndpoint, endpoint_id)
    deliveries = endpoints.list_deliveries(endpoint)
    return render_template("webhooks/detail.html", endpoint=endpoint, log=deliveries)


@blueprint.post("/<endpoint_id>/remove")
def remove(endpoint_id: str) -> Page:
    endpoints.remove_endpoint(owned_by(current_user, WebhookEndpoint, endpoint_id))
    return see_other("webhooks.index", "Endpoint removed.")


@blueprint.post("/<endpoint_id>/enable")
def enable(endpoint_id: str) -> Page:
    endpoint = owned_by(current_user, WebhookEndpoint, endpoint_id)
    endpoints.enable_endpoint(endpoint)
    return see_other("webhooks.detail", endpoint_id=endpoint.id)


@blueprint.post("/<endpoint_id>/deliveries/<delivery_id>/replay")
@limiter.limit("120/hour")
def replay(endpoint_id: str, delivery_id: str) -> Page:
    endpoint = owned_by(current_user, WebhookEndpoint, endpoint_id)
    endpoints.replay_delivery(endpoints.find_delivery(endpoint, delivery_id))
    tasks.wake(tasks.send_webhooks)
    return see_other(
        "webhooks.detail", "Sending the message again under the same id.", endpoint_id=endpoint.id
    )


def _index_page(form: EndpointForm) -> Page:
    return render_form("webhooks/index.html", form=form, endpoints=endpoints.list_endpoints(current_user))
