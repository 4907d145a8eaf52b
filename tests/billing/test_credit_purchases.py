"""Buying credit on Stripe's page: one page per account, one payment, one fact; through the local Stripe."""


from apps.billing import credit_purchases
from apps.billing.models import CreditPayment, CreditPurchase, InvoiceMirror, SavedCard
from tests.support import shop


def open_page(account, amount_minor=1000, *, saves_card=False):
    return credit_purchases.open_checkout(account, amount_minor, "usd", saves_card=saves_card, now=shop.now())


def test_what_was_paid_is_one_payment_of_the_purchase_with_an_invoice(published, account):
    answer = shop.pay(open_page(account))
    shop.look(account)
    assert answer.headers["Location"].startswith("http://testserver/settings/credit/bought/?session_id=cs_test_")
    purchase = CreditPurchase.objects.get()
    assert (purchase.kind, purchase.state, purchase.amount_minor, purchase.currency) == (
        "checkout",
        "paid",
        1000,
        "usd",
    )
    payment = CreditPayment.objects.get()
    assert (payment.purchase, payment.status, payment.amount_minor) == (purchase, "succeeded", 1000)
    assert (payment.refunded_minor, payment.lost_minor) == (0, 0)
    assert InvoiceMirror.objects.get().amount_paid_minor == 1000
    assert not SavedCard.objects.exists()
