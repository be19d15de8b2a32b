"""Every table, so that migrations see them all."""

from app.models.ai import AiAnswer, AiAsking, AiCall, AiSwitch
from app.models.attempt import Attempt
from app.models.audit import AuditEntry
from app.models.direct import DirectUpload
from app.models.export import DataExport
from app.models.idempotency_key import IdempotencyKey
from app.models.job import Batch, Job
from app.models.outbox import OutboxMessage
from app.models.overage import MeterDifference, Overage
from app.models.payment import Invoice, PaymentEvent
from app.models.sample import AudioFeatures, Sample, Tag
from app.models.session import MailLink, UserSession
from app.models.subscription import Subscription
from app.models.token import ApiToken
from app.models.twofactor import TwoFactor
from app.models.usage import Usage
from app.models.user import User
from app.models.webhook import WebhookDelivery, WebhookEndpoint
from app.models.worker import Worker

__all__ = [
    "AiAnswer",
    "AiAsking",
    "AiCall",
    "AiSwitch",
    "ApiToken",
    "Attempt",
    "AudioFeatures",
    "AuditEntry",
    "Batch",
    "DataExport",
    "DirectUpload",
    "IdempotencyKey",
    "Invoice",
    "Job",
    "MailLink",
    "MeterDifference",
    "OutboxMessage",
    "Overage",
    "PaymentEvent",
    "Sample",
    "Subscription",
    "Tag",
    "TwoFactor",
    "Usage",
    "User",
    "UserSession",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Worker",
]
