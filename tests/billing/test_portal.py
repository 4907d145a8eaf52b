"""The portal at Stripe: only for who bought something, and only one's own."""

import pytest

from apps.billing import entitlements, portal
from apps.billing.errors import NothingToManage
from apps.billing.models import BillingAccount, InvoiceMirror
from apps.core.errors import Missing
from tests import cast
from tests.build import NOW
from tests.support import shop

pytestmark = pytest.mark.django_db


def test_leads_to_the_portal_as_it_was_published(published, account):
    shop.buy(account)
    url = portal.open_portal(account, now=shop.now())
    assert url.startswith(f"{published.base}/p/session/")
    session = published.objects("billing_portal.session")[0]
    assert session["customer"] == account.stripe_customer_id
    assert session["return_url"] == "http://testserver/billing/after-portal/"
    assert "Premium" in shop.visit(url)


def test_who_bought_nothing_has_nothing_to_manage(account):
    with pytest.raises(NothingToManage):
        portal.open_portal(account, now=NOW)


def test_a_customer_who_is_gone_has_nothing_to_manage(published, account):
    shop.buy(account)
    published.call("DELETE", f"/v1/customers/{account.stripe_customer_id}")
    with pytest.raises(NothingToManage):
        portal.open_portal(account, now=shop.now())
    BillingAccount.objects.update(customer_gone_at=NOW)
    account.refresh_from_db()
    with pytest.raises(NothingToManage):
        portal.open_portal(account, now=shop.now())


def test_an_invoice_is_shown_to_who_paid_it(published, account):
    shop.buy(account)
    invoice = InvoiceMirror.objects.get()
    assert portal.open_invoice(account, invoice.pk) == f"{published.base}/i/{invoice.pk}"
    stranger = entitlements.account_for(cast.mallory(), now=NOW)
    with pytest.raises(Missing):
        portal.open_invoice(stranger, invoice.pk)
    with pytest.raises(Missing):
        portal.open_invoice(account, "in_none")
