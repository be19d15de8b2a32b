"""Keep the invoices of every customer, for the cost report and for refunds and disputes."""

from __future__ import annotations

from sqlalchemy import Select, or_, select

from app.billing import plans
from app.billing.plans import FREE
from app.extensions import db, settings
from app.integrations import payments
from app.integrations.payments import snapshot
from app.integrations.payments.snapshot import CustomerSnapshot
from app.models import Invoice, User, ownership


def invoice_plans(now: CustomerSnapshot) -> dict[str, str]:
    """Return the plan that each invoice charges for. This may ask Stripe for a price."""
    found = {}
    for invoice in now.invoices:
        price = payments.get_price(settings(), invoice.price_id) if invoice.price_id else None
        plan = plans.plan_for_price(price) if price else None
        found[invoice.id] = (plan or FREE).name
    return found


def record_invoices(
    user_id: str | None, customer_id: str, now: CustomerSnapshot, plan_of: dict[str, str]
) -> None:
    """Save a customer's invoices as they are now, inside the caller's transaction."""
    known = {row.id: row for row in db.session.scalars(_customer_invoices(customer_id))}
    for found in now.invoices:
        row = known.get(found.id)
        if row is None:
            row = Invoice(id=found.id, user_id=user_id, customer_id=customer_id)
            db.session.add(row)
        _copy_invoice(row, found, plan_of[found.id])
        settled = [entry for entry in now.settled if entry.payment_id in found.payment_ids]
        row.refunded_cents = sum(entry.refunded_cents for entry in settled)
        row.disputed_cents = sum(entry.disputed_cents for entry in settled)
        row.dispute_status = next((entry.dispute_status for entry in settled if entry.dispute_status), None)
    db.session.flush()


def user_invoices(user: User, limit: int = 24) -> list[Invoice]:
    """Return the user's latest invoices, the newest first."""
    mine = select(Invoice).where(Invoice.user_id == user.id)
    return list(db.session.scalars(mine.order_by(Invoice.issued_at.desc(), Invoice.id.desc()).limit(limit)))


def owned_invoice_id(user: User, invoice_id: str) -> str:
    """Return the invoice's id at Stripe, or raise RowNotFoundError when it is not the user's."""
    found = ownership.owned_by(user, Invoice, invoice_id).id
    db.session.commit()  # no transaction may be open while Stripe is called
    return found


def contested_invoices(limit: int = 200) -> list[Invoice]:
    """Return invoices that were refunded or disputed, the newest first."""
    contested = or_(Invoice.refunded_cents > 0, Invoice.dispute_status.is_not(None))
    newest = select(Invoice).where(contested).order_by(Invoice.issued_at.desc())
    return list(db.session.scalars(newest.limit(limit)))


def is_known_customer(customer_id: str) -> bool:
    """Return whether we have an invoice of this customer at Stripe."""
    return db.session.scalar(_customer_invoices(customer_id).limit(1)) is not None


def _customer_invoices(customer_id: str) -> Select[Invoice]:
    return select(Invoice).where(Invoice.customer_id == customer_id)


def _copy_invoice(row: Invoice, found: snapshot.StripeInvoice, plan: str) -> None:
    row.plan, row.number, row.status = plan, found.number, found.status
    row.currency, row.total_cents, row.paid_cents = found.currency, found.total_cents, found.paid_cents
    row.period_start, row.period_end = found.period_start, found.period_end
    row.issued_at, row.paid_at = found.created_at, found.paid_at
