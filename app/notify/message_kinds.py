"""The kinds of outbox messages, as they are stored in the database."""

from __future__ import annotations

BATCH_DONE = "batch-done"
REGISTER = "register"
ACCOUNT_EXISTS = "account-exists"
VERIFY_EMAIL = "verify-email"
RESET_PASSWORD = "reset-password"  # noqa: S105 - a name, not a secret
CONFIRM_EMAIL = "confirm-email"
CHANGE_REQUESTED = "change-requested"
CHANGE_STOPPED = "change-stopped"
CODES_GUESSED = "codes-guessed"
SIGN_IN_LINK = "sign-in-link"
EMAIL_CHANGED = "email-changed"
PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a name, not a secret
TWO_FACTOR = "two-factor"
EXPORT_READY = "export-ready"
EXPORT_FAILED = "export-failed"
ACCOUNT_DELETED = "farewell"
WEBHOOK = "webhook"
METER_EVENT = "meter"
