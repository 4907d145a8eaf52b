"""A small business, written by hand, so that every figure can be checked on paper.

| person | what happens |
|---|---|
| ana | free; two answers on 1 March, one on 2 March |
| ben | buys Premium (8.00 a month) on 1 March; one answer on 2 March |
| dana | staff: buys and asks, and is never counted |
"""

from datetime import UTC, date, datetime, timedelta

from apps.billing.models import InvoiceMirror
from apps.core import ids
from apps.reporting import fill
from apps.reporting.metrics.families import FAMILIES
from tests import build, cast

FIRST, SECOND = datetime(2026, 3, 1, 10, 0, tzinfo=UTC), datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY_1, DAY_2 = date(2026, 3, 1), date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def account(*, owner, at=FIRST, **fields):
    """An account that was made at a moment, not now."""
    made = build.account(owner=owner, **fields)
    type(made).objects.filter(pk=made.pk).update(created_at=at)
    made.refresh_from_db()
    return made


def invoice(*, account, start=FIRST, length=timedelta(days=31), total_minor=8_00, at=None, **fields):
    defaults = {"status": "paid", "currency": "usd", "stripe_subscription_id": "sub_1", "synced_at": at or start}
    return InvoiceMirror.objects.create(
        stripe_invoice_id=f"in_{ids.uuid7().hex}", account=account, total_minor=total_minor, created=start,
        amount_due_minor=total_minor, amount_paid_minor=total_minor, period_start=start, period_end=start + length,
        **{**defaults, **fields},
    )  # fmt: skip


def filled(*families, now):
    """Fill what is due of some families; metrics of others are not there."""
    for name in families:
        for day in fill.mark_dirty(FAMILIES[name], now=now):
            fill.fill_day(FAMILIES[name], day, now=now)


def small_business():
    """The story above."""
    ana, ben, dana = account(owner=cast.ana()), account(owner=cast.ben()), account(owner=cast.dana())
    build.answer(account=ana, at=FIRST, input_tokens=100, output_tokens=50, cost_micro=5)
    build.answer(account=ana, at=FIRST, input_tokens=10, output_tokens=5, cost_micro=1)
    build.answer(account=ana, at=SECOND, input_tokens=40, output_tokens=20, cost_micro=2, provenance="estimated")
    build.answer(account=ben, at=SECOND, plan_key="premium", input_tokens=1000, output_tokens=500, cost_micro=50)
    build.answer(account=dana, at=SECOND, input_tokens=9000, output_tokens=9000, cost_micro=9000)
    build.stripe_subscription(account=ben, at=FIRST)
    build.stripe_subscription(account=dana, at=FIRST)
    invoice(account=ben)
    invoice(account=dana)
    return ana, ben, dana
