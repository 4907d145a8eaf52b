"""One account on one page for staff, and what they may do there."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.billing import refunds
from apps.billing.models import BillingAccount, InvoiceMirror, RefundRequest, StripeEvent, StripeOutbox
from apps.billing.refunds import Wish
from tests import build, cast
from tests.support import shop

pytestmark = pytest.mark.django_db
FORM = {"amount": "3.00", "why": "requested_by_customer", "reason": "an outage", "ending": "keep"}


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
def bought(published, account):
    shop.buy(account)
    StripeEvent.objects.create(
        id="evt_1", type="invoice.paid", customer=account.stripe_customer_id, account=account, livemode=False,
        created=shop.now(), received_at=shop.now(), payload={"customer_email": "secret@example.org"},
    )  # fmt: skip
    return account


def page_of(account):
    return f"/admin/billing/billingaccount/{account.pk}/change/"


def test_staff_read_everything_on_one_page_and_no_payload(bought):
    page = at(helper("view_billingaccount")).get(page_of(bought)).content.decode()
    invoice = InvoiceMirror.objects.get()
    for text in (
        "ana@example.org", bought.stripe_customer_id, bought.subscriptions.get().pk, invoice.number, "visa 4242",
        "invoice.paid", "plan_started", "receipt",
    ):  # fmt: skip
        assert text in page, text
    assert "secret@example.org" not in page
    assert "/refundrequest/add/" not in page  # no right to give back
    assert "Why the account is held" not in page


def test_an_account_is_found_by_mail_customer_subscription_and_number(bought):
    dana = at(cast.dana())
    number = InvoiceMirror.objects.get().number
    for words in ("ana@example", bought.stripe_customer_id, bought.subscriptions.get().pk, number):
        assert str(bought.pk) in dana.get("/admin/billing/billingaccount/", {"q": words}).content.decode(), words
    assert str(bought.pk) not in dana.get("/admin/billing/billingaccount/", {"q": "cus_0"}).content.decode()


def test_others_see_nothing_and_change_nothing(bought):
    looks = [f"/admin/billing/billingaccount/{bought.pk}/{name}/" for name in ("look", "hold")]
    refund = f"/admin/billing/refundrequest/add/?invoice={InvoiceMirror.objects.get().pk}"
    for client in (at(cast.mallory()), Client()):
        assert client.get(page_of(bought)).status_code == 302  # to the admin's sign-in
        assert [client.post(path, {"reason": "x"}).status_code for path in (*looks, refund)] == [302, 302, 302]
    staff = at(helper())
    assert staff.get(page_of(bought)).status_code == 403
    assert [staff.post(path, {**FORM, "reason": "x"}).status_code for path in (*looks, refund)] == [403, 403, 403]
    assert at(helper("view_billingaccount", "view_refundrequest")).post(looks[1], {"reason": "x"}).status_code == 403
    assert not RefundRequest.objects.exists()
    assert not AuditEntry.objects.exists()
    assert BillingAccount.objects.get().hold_reason == ""


def test_nothing_that_sync_owns_is_edited(bought):
    dana = at(cast.dana())
    assert dana.post(page_of(bought), {"currency": "eur"}).status_code == 403
    for table, row in (
        ("invoicemirror", InvoiceMirror.objects.get()),
        ("subscriptionmirror", bought.subscriptions.get()),
    ):
        assert dana.post(f"/admin/billing/{table}/{row.pk}/change/", {"status": "void"}).status_code == 403
    assert InvoiceMirror.objects.get().status == "paid"


def test_looking_now_says_what_stripe_says_now(published, bought):
    shop.change(published, bought.subscriptions.get().pk, cancel_at_period_end="true")
    answer = at(helper("view_billingaccount")).post(f"/admin/billing/billingaccount/{bought.pk}/look/", follow=True)
    assert "This is what Stripe says now." in answer.content.decode()
    assert bought.subscriptions.get().cancel_at_period_end is True


def test_who_may_holds_and_lifts_with_a_reason(bought):
    staff = at(helper("view_billingaccount", "change_billingaccount"))
    path = f"/admin/billing/billingaccount/{bought.pk}/hold/"
    assert "Please say why" in staff.post(path, {"act": "hold", "reason": ""}, follow=True).content.decode()
    assert BillingAccount.objects.get().hold_reason == ""
    page = staff.post(path, {"act": "hold", "reason": "stolen cards"}, follow=True).content.decode()
    assert BillingAccount.objects.get().hold_reason == "staff"
    assert "Lift the hold" in page
    staff.post(path, {"act": "lift", "reason": "a mistake"})
    assert BillingAccount.objects.get().hold_reason == ""
    assert [entry.reason for entry in AuditEntry.objects.order_by("pk")] == ["stolen cards", "a mistake"]


def test_who_may_gives_back_from_an_invoice(published, bought):
    staff = at(helper("view_billingaccount", "add_refundrequest", "view_refundrequest"))
    invoice = InvoiceMirror.objects.get()
    address = f"/admin/billing/refundrequest/add/?invoice={invoice.pk}"
    assert address in staff.get(page_of(bought)).content.decode()
    assert "$8 paid, $8 can be given back." in staff.get(address).content.decode()
    page = staff.post(address, {**FORM, "amount": "8.01"}).content.decode()
    assert "At most $8 of this invoice can be given back." in page
    assert not RefundRequest.objects.exists()
    page = staff.post(address, FORM, follow=True).content.decode()
    assert "On its way." in page
    asked = RefundRequest.objects.get()
    assert (asked.amount_minor, asked.state, asked.ending, asked.reason) == (300, "approved", "keep", "an outage")
    assert StripeOutbox.objects.filter(kind="refund").count() == 1


def test_a_second_person_decides_on_the_request_s_page(bought, settings):
    settings.REFUND_ALONE_MINOR = 0
    first, second = cast.dana(), helper("view_refundrequest", "approve_refundrequest", "view_billingaccount")
    wish = Wish(300, "requested_by_customer", "an outage")
    asked = refunds.ask(InvoiceMirror.objects.get(), wish, by=first, now=shop.now())
    page, decide = (f"/admin/billing/refundrequest/{asked.pk}/{name}/" for name in ("change", "decide"))
    assert "Agree, and give it back" not in at(first).get(page).content.decode()
    assert "Somebody else with the permission" in at(first).get(page).content.decode()
    assert "Somebody else must decide" in at(first).post(decide, {"answer": "approve"}, follow=True).content.decode()
    assert at(helper("view_refundrequest")).post(decide, {"answer": "approve"}).status_code == 403
    assert at(cast.mallory()).post(decide, {"answer": "approve"}).status_code == 302
    assert RefundRequest.objects.get().state == "waiting"
    assert not StripeOutbox.objects.filter(kind="refund").exists()
    assert "Agree, and give it back" in at(second).get(page).content.decode()
    at(second).post(decide, {"answer": "approve"})
    assert RefundRequest.objects.get().state == "approved"
    assert RefundRequest.objects.get().decided_by == second
