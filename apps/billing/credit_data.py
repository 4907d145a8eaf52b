"""What the person's archive holds of credit and usage charges, and what of it leaves with them."""

from collections.abc import Iterator
from datetime import datetime

from apps.accounts.models import User
from apps.billing.models import AutoRecharge, CreditPayment, CreditPurchase, MeterOutbox, Overage, SavedCard

CARD_FIELDS = ("brand", "last4")
PURCHASE_FIELDS = ("created_at", "kind", "amount_minor", "currency", "state", "failure_code", "saves_card", "closed_at")
PAYMENT_FIELDS = ("created", "stripe_payment_intent_id", "status", "amount_minor", "refunded_minor", "currency")
RECHARGE_FIELDS = ("is_on", "threshold_micro", "amount_minor", "most_minor", "currency", "consented_at", "off_reason")
OVERAGE_FIELDS = ("is_on", "cap_micro", "currency", "stripe_subscription_id", "consented_at", "changed_at")
REPORT_FIELDS = ("ts", "reported_ts", "value", "state")


def export(user: User) -> Iterator[tuple[str, object]]:
    """The person's own rows, by name."""
    mine = {"account__owner": user}
    yield "saved card", list(SavedCard.objects.filter(**mine).values(*CARD_FIELDS))
    yield (
        "credit purchases",
        list(CreditPurchase.objects.filter(**mine).order_by("created_at").values(*PURCHASE_FIELDS)),
    )
    yield "credit payments", list(CreditPayment.objects.filter(**mine).order_by("created").values(*PAYMENT_FIELDS))
    yield "auto-recharge", list(AutoRecharge.objects.filter(**mine).values(*RECHARGE_FIELDS))
    yield "usage charges", list(Overage.objects.filter(**mine).values(*OVERAGE_FIELDS))
    yield "usage reported", list(MeterOutbox.objects.filter(**mine).order_by("ts").values(*REPORT_FIELDS))


def erase(user: User, *, now: datetime) -> int:
    """Drop the card and the person's wishes, close open pages. Purchases, payments and reports stay for the books."""
    mine = {"account__owner": user}
    pages = CreditPurchase.objects.checkouts().open().filter(**mine)
    wishes = AutoRecharge.objects.filter(**mine), Overage.objects.filter(**mine), SavedCard.objects.filter(**mine)
    closed = pages.update(state=CreditPurchase.State.EXPIRED, closed_at=now)
    return closed + sum(rows.delete()[0] for rows in wishes)
