"""What was decided, stated and seen is never rewritten: the database itself refuses."""

import pytest
from django.db import IntegrityError, transaction

from apps.billing.models import BillingAccount, EntitlementSnapshot, PlanVersion, SubscriptionState
from tests import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(account):
    build.subscription(account=account)
    build.stripe_subscription(account=account)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (PlanVersion, {"terms": {}}),
        (EntitlementSnapshot, {"valid_until": build.NOW}),
        (SubscriptionState, {"mrr_micro": 0}),
    ],
)
def test_rows_are_added_and_never_changed_or_deleted(rows, table, change):
    before = list(table.objects.values())
    assert before
    with pytest.raises(IntegrityError, match=f"{table._meta.db_table} is append-only"), transaction.atomic():
        table.objects.update(**change)
    with pytest.raises(IntegrityError, match=f"{table._meta.db_table} is append-only"), transaction.atomic():
        table.objects.all()._raw_delete(using="default")
    assert list(table.objects.values()) == before


def test_an_account_with_a_history_cannot_vanish(rows):
    with pytest.raises(IntegrityError), transaction.atomic():
        BillingAccount.objects.all().delete()
    assert BillingAccount.objects.count() == 1
