"""What Stripe says of invoices, kept on our rows: from the local Stripe, over HTTP."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from apps.billing.models import InvoiceMirror, SubscriptionMirror
from tests.support import shop
from tests.support.stripe import start_sandbox

pytestmark = pytest.mark.django_db


def owe(sandbox, account):
    """A renewal that fails; its row, and when the product looked."""
    shop.buy(account)
    when = SubscriptionMirror.objects.get(account=account).current_period_end + timedelta(hours=2)
    shop.use_card(sandbox, account, "pm_card_chargeCustomerFail")
    shop.pass_time(sandbox, account, to=when)
    shop.look(account, at=when)
    return InvoiceMirror.objects.get(status="open"), when


@pytest.mark.parametrize(
    ("acts", "status"),
    [(["mark_uncollectible"], "uncollectible"), (["void"], "void"), (["mark_uncollectible", "void"], "void")],
)
def test_a_row_says_when_its_invoice_was_first_given_up(published, account, acts, status):
    invoice, when = owe(published, account)
    assert invoice.given_up_at is None
    for number, act in enumerate(acts, start=1):
        shop.pass_time(published, account, to=when + number * timedelta(hours=1))
        assert published.call("POST", f"/v1/invoices/{invoice.pk}/{act}").status_code == 200
    shop.look(account, at=when + timedelta(hours=3))
    invoice.refresh_from_db()
    first = (when + timedelta(hours=1)).replace(microsecond=0)
    assert (invoice.status, invoice.given_up_at, invoice.paid_at) == (status, first, None)


@pytest.fixture
def taxing(tmp_path, settings, db):
    """A Stripe that adds 20 % of tax to prices, with our products."""
    server = start_sandbox(tmp_path, tax_percent="20")
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = server.base, server.secret_key
    settings.STRIPE_AUTOMATIC_TAX = True
    call_command("catalogue", "apply", "--yes", stdout=shop.Quiet())
    yield server
    server.stop()


def test_a_row_says_what_of_its_total_is_tax(taxing, account):
    shop.buy(account)
    invoice = InvoiceMirror.objects.get()
    assert (invoice.status, invoice.total_minor, invoice.tax_minor) == ("paid", 9_60, 1_60)
    assert SubscriptionMirror.objects.get().mrr_micro == 8_000_000


def test_where_there_is_no_tax_there_is_none(published, account):
    shop.buy(account)
    assert (InvoiceMirror.objects.get().total_minor, InvoiceMirror.objects.get().tax_minor) == (8_00, 0)
