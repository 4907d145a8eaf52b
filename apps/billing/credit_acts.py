"""How the outbox charges a saved card, and begins and ends the subscription of usage charges."""

from datetime import datetime

from apps.billing import credit_purchases, developer_shelf, stripe_gateway
from apps.billing.errors import MissingAtStripe, PaymentRefused, PaymentsAway
from apps.billing.models import BillingAccount, CreditPurchase, MeterOutbox, Overage, SavedCard, StripeOutbox
from apps.billing.stripe_facts import Subscription
from apps.billing.stripe_facts.payments import ACCOUNT, SELLS
from apps.billing.stripe_gateway import Gateway

State = CreditPurchase.State
NO_CARD, GONE = "no_card", "gone"
CODE = 80
OVER = ("canceled", "incomplete_expired")


def recharge(row: StripeOutbox) -> bool:
    """Charge the saved card for one purchase. A refusal ends the purchase; sync sees it and switches recharging off.

    Repeat  what an earlier try may have made is looked for first, however late it is.
    """
    purchase = CreditPurchase.objects.select_related("account").get(pk=row.payload["purchase"])
    account = purchase.account
    card = SavedCard.objects.filter(account=account).first()
    customer = None if account.customer_gone_at else account.stripe_customer_id
    if purchase.state != State.OPEN:
        return True
    if card is None or customer is None:
        return _fail(purchase, NO_CARD)
    gateway = stripe_gateway.background()
    if row.attempts and any(made.purchase == str(purchase.pk) for made in gateway.list_payments(customer)):
        return True
    params = {
        "amount": purchase.amount_minor,
        "currency": purchase.currency,
        "customer": customer,
        "payment_method": card.payment_method_id,
        "off_session": True,
        "confirm": True,
        "description": developer_shelf.NAMES[developer_shelf.CREDIT],
        "metadata": credit_purchases.metadata(purchase),
    }
    try:
        gateway.create_payment(params, key=row.key)
    except PaymentRefused as error:
        return _fail(purchase, error.code)
    except MissingAtStripe:
        return _fail(purchase, GONE)
    return True


def begin_usage(row: StripeOutbox) -> bool:
    """Begin the monthly subscription of usage charges, unless it was turned off meanwhile.

    Repeat  what an earlier try began, and nobody heard of, is taken for it, however late that is.
    """
    own = Overage.objects.select_related("account").filter(account_id=row.account_id).first()
    customer = own.account.stripe_customer_id if own else None
    if own is None or customer is None or not own.is_on or str(own.number) != row.payload["number"]:
        return True
    gateway = stripe_gateway.background()
    price = credit_purchases.find_price(developer_shelf.usage_key(own.currency)).pk
    params = _params(own, customer, price, row)
    begun = _find_begun(gateway, customer, price) or gateway.create_usage_subscription(params, key=row.key)
    Overage.objects.filter(pk=own.pk, number=own.number).update(stripe_subscription_id=begun)
    return True


def end_usage(row: StripeOutbox) -> bool:
    """End that subscription with its last invoice, once all is reported; not if it was turned on again."""
    own = Overage.objects.select_related("account").filter(account_id=row.account_id).first()
    if own is None or own.is_on or str(own.number) != row.payload["number"]:
        return True
    subscription = own.stripe_subscription_id or _find_unheard(own)
    return not subscription or end_subscription(subscription, key=row.key)


def end_subscription(subscription: str, *, key: str) -> bool:
    """End any subscription at once; one of usage charges with its last invoice.

    Raises  PaymentsAway: what it bills is not reported yet, so it is tried again later.
    """
    own = Overage.objects.filter(stripe_subscription_id=subscription).first()
    if own is not None and MeterOutbox.objects.pending().filter(account_id=own.account_id).exists():
        raise PaymentsAway(cause="UsageNotReported")
    stripe_gateway.background().cancel_subscription(subscription, bills_usage=own is not None, key=key)
    return True


def _fail(purchase: CreditPurchase, code: str) -> bool:
    CreditPurchase.objects.open().filter(pk=purchase.pk).update(state=State.FAILED, failure_code=code[:CODE])
    return True


def _find_unheard(own: Overage) -> str | None:
    """What began although its answer was lost, and was turned off before anybody asked again."""
    customer = own.account.stripe_customer_id
    price = credit_purchases.find_price(developer_shelf.usage_key(own.currency)).pk
    found = _find_begun(stripe_gateway.background(), customer, price) if customer else None
    if found is not None:
        Overage.objects.filter(pk=own.pk, number=own.number).update(stripe_subscription_id=found)
    return found


def _find_begun(gateway: Gateway, customer: str, price: str) -> str | None:
    """What an earlier try began, of which we did not hear."""
    alive = [one for one in gateway.list_usage_subscriptions(customer, price) if _goes_on(one)]
    return alive[0].id if alive else None


def _goes_on(one: Subscription) -> bool:
    is_ending = one.cancel_at_period_end or one.cancel_at is not None or one.ended_at is not None
    return one.status not in OVER and not is_ending


def _params(own: Overage, customer: str, price: str, row: StripeOutbox) -> dict[str, object]:
    """Its first period ends with the calendar month in which it was asked for."""
    account: BillingAccount = own.account
    params: dict[str, object] = {
        "customer": customer,
        "items": [{"price": price}],
        "billing_mode": {"type": "flexible"},
        "billing_cycle_anchor": int(datetime.fromisoformat(row.payload["anchor"]).timestamp()),
        "proration_behavior": "none",
        "metadata": {SELLS: developer_shelf.USAGE, ACCOUNT: str(account.pk)},
    }
    card = SavedCard.objects.filter(account=account).first()
    return params | ({"default_payment_method": card.payment_method_id} if card else {})
