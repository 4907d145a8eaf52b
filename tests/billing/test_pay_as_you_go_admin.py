"""What staff see of credit that is bought, usage that is charged, and changes of plans."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.billing.models import AutoRecharge, CreditPurchase, MeterOutbox, Overage, PlanChange
from apps.core import ids
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
TABLES = ("creditpurchase", "autorecharge", "overage", "meteroutbox", "planchange")


def at(person):
    client = Client()
    client.force_login(person)
    return client


def helper(*codes):
    """Staff with a few rights."""
    person = build.person(email=f"helper{len(codes)}@example.org", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return person


@pytest.fixture
def rows(account):
    """One row of each table."""
    agreed = {"currency": "usd", "consented_at": NOW, "changed_at": NOW}
    usage = {"event_name": "causerie_api_usage", "value": 1_234_567, "ts": NOW, "next_at": NOW}
    return {
        "creditpurchase": CreditPurchase.objects.create(
            account=account, kind="checkout", amount_minor=2500, currency="usd", session_id="cs_secret",
            state="failed", failure_code="card_declined", created_at=NOW,
        ),
        "autorecharge": AutoRecharge.objects.create(
            account=account, threshold_micro=5_000_000, amount_minor=1500, most_minor=9900,
            off_reason="expired_card", **agreed,
        ),
        "overage": Overage.objects.create(
            account=account, is_on=True, cap_micro=50_000_000, stripe_subscription_id="sub_usage", **agreed
        ),
        "meteroutbox": MeterOutbox.objects.create(
            ledger_id=ids.uuid7(), account=account, state="dead", error="the meter says 6", **usage
        ),
        "planchange": PlanChange.objects.create(
            account=account, subscription=build.stripe_subscription(account=account), kind="cancel",
            state="refused", error="No such subscription", created_at=NOW,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_staff_read_each_table_and_change_nothing(rows, table):
    dana, row = at(cast.dana()), rows[table]
    address = f"/admin/billing/{table}/{row.pk}/change/"
    assert str(row.account_id) in dana.get(f"/admin/billing/{table}/", {"q": "ana@example"}).content.decode()
    assert str(row.account_id) not in dana.get(f"/admin/billing/{table}/", {"q": "nobody@"}).content.decode()
    page = dana.get(address)
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert "cs_secret" not in page.content.decode()
    assert dana.post(address, {"state": "open", "is_on": "on"}).status_code == 403
    assert dana.get(f"/admin/billing/{table}/add/").status_code == 403
    assert dana.post(f"/admin/billing/{table}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("table", TABLES)
def test_others_read_none_of_it(rows, table):
    pages = (f"/admin/billing/{table}/", f"/admin/billing/{table}/{rows[table].pk}/change/")
    mallory = at(cast.mallory())
    for path in pages:
        assert mallory.get(path).status_code == 302  # to the admin's sign-in
        assert Client().get(path).status_code == 302
    staff, allowed = at(helper()), at(helper(f"view_{table}"))
    assert [staff.get(path).status_code for path in pages] == [403, 403]
    assert [allowed.get(path).status_code for path in pages] == [200, 200]


def test_the_account_s_page_has_a_table_of_each(account, rows):
    path = f"/admin/billing/billingaccount/{account.pk}/change/"
    page = at(helper("view_billingaccount")).get(path).content.decode()
    for text in (
        "Credit purchases", "$25", "card_declined", "Auto-recharge", "5.000000 USD", "$15", "$99", "expired_card",
        "Usage charges", "50.000000 USD", "sub_usage", "Usage told to Stripe", "1.234567 USD", "the meter says 6",
        "Plan changes", "No such subscription",
    ):  # fmt: skip
        assert text in page, text
    assert "cs_secret" not in page
