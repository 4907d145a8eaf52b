"""What a change of plan would cost, as Stripe says it: asked before the person agrees, and once more when they do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from apps.billing.models import PlanChange
from apps.billing.plan_choices import Choice, Holding
from apps.billing.stripe_facts import Preview, PreviewLine
from apps.billing.stripe_gateway import Gateway

Kind = PlanChange.Kind


@dataclass(frozen=True)
class Quote:
    """What is charged now and what at the next renewal, in minor units; equal quotes are equal to the cent.

    due_minor  charged to the card now: the total less credit that is kept at Stripe.
    """

    currency: str
    lines: tuple[PreviewLine, ...]
    discount_minor: int
    tax_minor: int
    total_minor: int
    due_minor: int
    renews_at: datetime
    renewal_minor: int

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        """As values that a JSON column takes."""
        lines = [
            {**asdict(line), "starts_at": line.starts_at.isoformat(), "ends_at": line.ends_at.isoformat()}
            for line in self.lines
        ]
        return {**asdict(self), "lines": lines, "renews_at": self.renews_at.isoformat()}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Quote":  # Any: JSON that `as_json` wrote
        """Read back what `as_json` wrote."""
        moment = datetime.fromisoformat
        lines = tuple(
            PreviewLine(**{**line, "starts_at": moment(line["starts_at"]), "ends_at": moment(line["ends_at"])})
            for line in raw["lines"]
        )
        return cls(**{**raw, "lines": lines, "renews_at": moment(raw["renews_at"])})


def ask(holding: Holding, choice: Choice, gateway: Gateway, *, moment: datetime) -> Quote:
    """Ask Stripe what a change would cost.

    moment  from when on time is credited and charged; the same moment gives the same amounts.
    Effect  the network.
    Raises  PaymentsAway, PaymentRefused, MissingAtStripe.
    """
    change = (holding.subscription.pk, holding.item.pk, choice.price.pk)
    renewal = gateway.preview_change(*change, prorated_at=None)
    if choice.kind == Kind.LATER or holding.is_trial:
        return _later(holding, renewal)
    now = gateway.preview_change(*change, prorated_at=moment)
    return Quote(
        currency=now.currency,
        lines=now.lines,
        discount_minor=now.discount_minor,
        tax_minor=now.tax_minor,
        total_minor=now.total_minor,
        due_minor=now.due_minor,
        renews_at=max(line.ends_at for line in now.lines),
        renewal_minor=renewal.total_minor,
    )


def _later(holding: Holding, renewal: Preview) -> Quote:
    """Nothing is charged before the period, or the trial, is over."""
    ends_at = holding.subscription.trial_end if holding.is_trial else holding.subscription.current_period_end
    assert ends_at is not None  # noqa: S101 a live subscription has a period
    return Quote(
        currency=renewal.currency,
        lines=(),
        discount_minor=0,
        tax_minor=0,
        total_minor=0,
        due_minor=0,
        renews_at=ends_at,
        renewal_minor=renewal.total_minor,
    )
