"""Import every table, so that migrations see them all."""

from app.models.account_closing import AccountClosing
from app.models.account_export import DataExport
from app.models.ai_calls import AiAnswer, AiCall, AiSwitch, SingleFlightLock
from app.models.api_token import ApiToken
from app.models.audit_entry import AuditEntry
from app.models.cached_render import Render
from app.models.card_export import CardExport
from app.models.collection import Collection, SampleMove
from app.models.direct_upload import DirectUpload
from app.models.duplicate_group import DuplicateCleanup, DuplicateGroup, DuplicateMember
from app.models.idempotency_key import IdempotencyKey
from app.models.job import Batch, Job
from app.models.job_attempt import Attempt
from app.models.kit import Kit
from app.models.kit_bank import KitBank
from app.models.kit_base import KitBase
from app.models.kit_change import KitChange
from app.models.kit_pad import KitPad
from app.models.kit_pattern import KitPattern
from app.models.metric_total import MetricTotal
from app.models.outbox_message import OutboxMessage
from app.models.overage_consent import MeterDifference, OverageConsent
from app.models.payment import Invoice, PaymentEvent
from app.models.project_upload import ProjectUpload
from app.models.sample import AudioFeatures, Sample, Tag
from app.models.sample_vector import SampleVector
from app.models.search_row import Library, LibraryCount, LibraryTag, SampleChange, SearchRow
from app.models.shaping_preset import ShapingPreset
from app.models.subscription import Subscription
from app.models.two_factor_secret import TwoFactor
from app.models.usage import StorageTotal, Usage
from app.models.user import User
from app.models.user_session import MailLink, UserSession
from app.models.vector_order import VectorOrder
from app.models.webhook_endpoint import WebhookDelivery, WebhookEndpoint
from app.models.worker_process import Worker

__all__ = [
    "AccountClosing",
    "AiAnswer",
    "AiCall",
    "AiSwitch",
    "ApiToken",
    "Attempt",
    "AudioFeatures",
    "AuditEntry",
    "Batch",
    "CardExport",
    "Collection",
    "DataExport",
    "DirectUpload",
    "DuplicateCleanup",
    "DuplicateGroup",
    "DuplicateMember",
    "IdempotencyKey",
    "Invoice",
    "Job",
    "Kit",
    "KitBank",
    "KitBase",
    "KitChange",
    "KitPad",
    "KitPattern",
    "Library",
    "LibraryCount",
    "LibraryTag",
    "MailLink",
    "MeterDifference",
    "MetricTotal",
    "OutboxMessage",
    "OverageConsent",
    "PaymentEvent",
    "ProjectUpload",
    "Render",
    "Sample",
    "SampleChange",
    "SampleMove",
    "SampleVector",
    "SearchRow",
    "ShapingPreset",
    "SingleFlightLock",
    "StorageTotal",
    "Subscription",
    "Tag",
    "TwoFactor",
    "Usage",
    "User",
    "UserSession",
    "VectorOrder",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Worker",
]
