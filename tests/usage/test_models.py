from datetime import UTC, datetime, timedelta
from importlib import import_module
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from apps.billing.meters import Meter
from apps.usage import ledger
from apps.usage.limits import Demand
from apps.usage.models import CreditAccount, CreditGrant, UsageLedger, UsageSlice
from tests import build
from tests.usage.test_ledger import used

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def row(db):
    account = build.account()
    build.act(
        ledger.reserve,
        account,
        UUID(int=1),
        Demand(build.plan(), "chat-small", {Meter.MESSAGES: 1}),
        timeout_s=9,
        now=NOW,
    )
    return build.act(ledger.settle, UUID(int=1), used(), now=NOW).row


def test_a_ledger_row_cannot_be_changed(row):
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        UsageLedger.objects.filter(pk=row.pk).update(cost_micro=0)
    row.refresh_from_db()
    assert row.cost_micro == 14


def test_a_ledger_row_cannot_be_deleted(row):
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM usage_usageledger")
    assert UsageLedger.objects.count() == 1


def test_rows_of_before_get_the_one_currency_they_had_and_stay_as_they_are(db):
    account = build.account()
    old = build.answer(account=account, currency="eur", cost_currency="")
    given = build.answer(account=account, kind="grant", currency="eur", cost_currency="")
    fill = import_module("apps.usage.migrations.0006_cost_currency").FILL
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as if the rows were of an earlier transaction
        cursor.execute(fill)
        cursor.execute(fill)
    old.refresh_from_db()
    given.refresh_from_db()
    assert (old.cost_currency, given.cost_currency) == ("eur", "")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        UsageLedger.objects.filter(pk=old.pk).update(cost_currency="usd")


def test_grants_and_history_of_before_follow_from_balance_and_ledger(db):
    account = build.account()
    late = NOW + timedelta(days=9)
    for ref, source, expires_at in (("bought", "purchase", None), ("late", "promo", late), ("soon", "promo", NOW)):
        CreditGrant.objects.create(
            account=account, source=source, source_ref=ref, amount_micro=100, remaining_micro=0, expires_at=expires_at,
            granted_at=NOW,
        )  # fmt: skip
    CreditAccount.objects.create(account=account, currency="usd", balance_micro=130)
    for minutes in (0, 14, 15):
        build.answer(account=account, at=NOW + timedelta(minutes=minutes), price_micro=5)
    build.answer(account=account, provenance="none", messages=0)
    fill = import_module("apps.usage.migrations.0004_fill_grants_and_history")
    with connection.cursor() as cursor:
        cursor.execute(fill.GRANTS)
        cursor.execute(fill.SLICES)
    left = dict(CreditGrant.objects.values_list("source_ref", "remaining_micro"))
    assert left == {"soon": 0, "late": 30, "bought": 100}
    slices = UsageSlice.objects.order_by("starts_at").values_list("starts_at", "answers", "price_micro")
    assert list(slices) == [(NOW, 2, 10), (NOW + timedelta(minutes=15), 1, 5)]


def test_a_bucket_cannot_go_below_nothing(row):
    with pytest.raises(IntegrityError, match="bucket_not_negative"), transaction.atomic():
        row.account.buckets.update(reserved=-1)
