"""Every table, so that migrations see them all."""

from app.models.attempt import Attempt
from app.models.audit import AuditEntry
from app.models.job import Batch, Job
from app.models.outbox import OutboxMessage
from app.models.sample import AudioFeatures, Sample, Tag
from app.models.subscription import Subscription
from app.models.usage import Usage
from app.models.user import User
from app.models.worker import Worker

__all__ = [
    "Attempt",
    "AudioFeatures",
    "AuditEntry",
    "Batch",
    "Job",
    "OutboxMessage",
    "Sample",
    "Subscription",
    "Tag",
    "Usage",
    "User",
    "Worker",
]
