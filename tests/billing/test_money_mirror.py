"""What Stripe says of invoices, kept on our rows: from the local Stripe, over HTTP."""

from datetime import timedelta

import pytest

from apps.billing.models import InvoiceMirror, SubscriptionMirror
from tests.support import shop

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
