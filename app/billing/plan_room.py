"""How much of a plan is used in one period, and the sentences that say why nothing more fits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.billing import plans
from app.billing.plans import GB, MB, Plan
from app.plurals import pluralize

NEARLY = 0.8
Limit = Literal["uploads", "storage", "size"]  # what of a plan an upload runs into


@dataclass(frozen=True)
class PlanUsage:
    """How much of a plan is used in one day or month."""

    plan: Plan
    uploads: int
    storage_bytes: int
    resets_at: datetime  # in the user's own zone
    overage: int = 0  # uploads past the plan, each of them charged
    cap_cents: int | None = None  # the most these may cost together; None when overage is off

    @property
    def uploads_left(self) -> int:
        return max(self.plan.uploads - self.uploads, 0)

    @property
    def overage_cents(self) -> int:
        return self.overage * (self.plan.overage_price_cents or 0)

    @property
    def takes_overage(self) -> bool:
        """Whether one more charged upload stays within the cap."""
        return self.extra_uploads_left > 0

    @property
    def extra_uploads_left(self) -> int:
        """How many more charged uploads stay within the cap."""
        price_cents = self.plan.overage_price_cents
        if price_cents is None or self.cap_cents is None:
            return 0
        return max(self.cap_cents - self.overage_cents, 0) // price_cents

    @property
    def storage_left_bytes(self) -> int:
        return max(self.plan.storage_bytes - self.storage_bytes, 0)

    @property
    def storage_over_bytes(self) -> int:
        """Bytes past the plan's room, after a change to a smaller plan. They stay and can be exported, but
        nothing can be added."""
        return max(self.storage_bytes - self.plan.storage_bytes, 0)

    @property
    def nearly_used(self) -> list[str]:
        """Name what is left of each limit that is used to NEARLY or more: `2 uploads left today`."""
        left = []
        if self.uploads >= NEARLY * self.plan.uploads:
            left.append(f"{pluralize(self.uploads_left, 'upload')} left {self.plan.this_period}")
        if self.storage_bytes >= NEARLY * self.plan.storage_bytes:
            left.append(f"{self.storage_left_bytes / MB:,.1f} MB of storage left")
        return left

    def refusal(self, size_bytes: int = 1) -> str | None:
        """Say why the plan does not take one more upload of this size, and what to do; None when it does."""
        return self._upload_refusal() or self.storage_refusal(size_bytes)

    @property
    def refusing_limit(self) -> Limit:
        """Return which limit `refusal` is about."""
        return "storage" if self._upload_refusal() is None else "uploads"

    def extra_uploads(self, count: int) -> int:
        """Return how many of so many uploads are past the plan, each of them charged."""
        return max(count - self.uploads_left, 0)

    def refusal_of_several(self, count: int, size_bytes: int) -> str | None:
        """Say why the plan does not take so many uploads of this size together; None when it does."""
        extra, price_cents = self.extra_uploads(count), self.plan.overage_price_cents
        left_cents = (self.cap_cents or 0) - self.overage_cents
        if extra and (price_cents is None or extra * price_cents > left_cents):
            wait = f"wait until {self.resets_at:%-d %b, %H:%M}"
            options = _join_options(["choose fewer", wait, *self._overage_option(), *self._upgrade_option()])
            return (
                f"That would be {count:,} uploads; you have {self.uploads_left:,} left "
                f"{self.plan.this_period}. {options}"
            )
        return self.storage_refusal(size_bytes)

    def storage_refusal(self, size_bytes: int) -> str | None:
        """Say why this many bytes have no room, and what to do about it; None when they have."""
        missing = self.storage_bytes + size_bytes - self.plan.storage_bytes
        if missing <= 0:
            return None
        if self.storage_over_bytes:
            delete = f"delete {format_size(missing)} of samples to make room"
            return (
                f"Your library holds {format_size(self.storage_bytes)} and {self.plan.label} has room for "
                f"{format_size(self.plan.storage_bytes)}, so nothing can be added. All of it still plays, "
                f"downloads and exports. {_join_options([delete, *self._upgrade_option()])}"
            )
        delete = f"delete {format_size(missing)} of samples you no longer need"
        return (
            f"Not enough storage: {self.storage_left_bytes / MB:,.1f} MB left. "
            f"{_join_options([delete, *self._upgrade_option()])}"
        )

    def _upload_refusal(self) -> str | None:
        """Say that no upload is left, when more start and how to get more now; None when one is left."""
        if self.uploads_left or self.takes_overage:
            return None
        used = f"You have used all {self.plan.uploads:,} uploads for {self.plan.this_period}"
        if self.cap_cents is not None:
            used += f" and reached your {format_dollars(self.cap_cents)} cap for extra uploads"
        wait = f"wait until {self.resets_at:%-d %b, %H:%M}"
        return f"{used}. {_join_options([wait, *self._overage_option(), *self._upgrade_option()])}"

    def _overage_option(self) -> list[str]:
        if self.plan.overage_price_cents is None:
            return []
        if self.cap_cents is not None:
            return ["raise the cap on the Plan page"]
        price = format_dollars(self.plan.overage_price_cents)
        return [f"turn on extra uploads on the Plan page ({price} for each upload, up to a cap you set)"]

    def _upgrade_option(self) -> list[str]:
        larger = plans.next_larger_plan(self.plan)
        return [f"upgrade to {larger.label}"] if larger is not None else []


def format_size(size_bytes: int) -> str:
    """Write a size in MB or GB, rounded up: deleting that much always makes enough room."""
    unit, factor = ("GB", GB) if size_bytes >= GB else ("MB", MB)
    return f"{-(-size_bytes * 10 // factor) / 10:,.1f}".removesuffix(".0") + f" {unit}"


def format_dollars(cents: int) -> str:
    """Write an amount of US cents in dollars."""
    return f"${cents / 100:,.2f}"


def _join_options(options: list[str]) -> str:
    """Join what the user can do into one sentence: "Wait until Monday, or upgrade to Pro."."""
    sentence = ", or ".join([", ".join(options[:-1]), options[-1]] if len(options) > 1 else options)
    return f"{sentence[0].upper()}{sentence[1:]}."
