"""Everything Stripe knows of one customer, read while the account's lease is held."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from apps.billing import renewals
from apps.billing.errors import MissingAtStripe
from apps.billing.models import BillingAccount, CheckoutAttempt
from apps.billing.renewals import Renewal
from apps.billing.stripe_facts import Card, Charge, Customer, Dispute, Invoice, Refund, Subscription
from apps.billing.stripe_gateway import Gateway

NO_CARD = Card()
NOBODY = Customer("", is_deleted=True, currency="", payment_method="")


@dataclass(frozen=True)
class Found:
    """What Stripe said."""

    customer: Customer = NOBODY
    card: Card = NO_CARD  # charged where a subscription names none
    subscriptions: tuple[Subscription, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    renewals: Mapping[str, Renewal] = field(default_factory=dict)  # of subscriptions about which something changed
    sessions: Mapping[str, str] = field(default_factory=dict)  # id of each open checkout session → its status


def fetch(account: BillingAccount, gateway: Gateway, go_on: Callable[[], None]) -> Found:
    """Ask Stripe for everything.

    go_on   called before each question: prolongs the lease, and raises when there is no more time.
    Raises  PaymentsAway; what `go_on` raises.
    """
    if account.stripe_customer_id is None:
        return Found(sessions=_sessions(account, gateway, go_on))
    go_on()
    customer = _customer(account.stripe_customer_id, gateway)
    if customer.is_deleted:
        return Found(sessions=_sessions(account, gateway, go_on))
    go_on()
    subscriptions = tuple(gateway.list_subscriptions(customer.id))
    go_on()
    invoices = tuple(gateway.list_invoices(customer.id))
    charges = [charge for invoice in invoices for charge in invoice.charges]
    return Found(
        customer=customer,
        card=_card(customer, subscriptions, gateway, go_on),
        subscriptions=subscriptions,
        invoices=invoices,
        refunds=tuple(_refunds(charges, gateway, go_on)),
        disputes=tuple(_disputes(charges, gateway, go_on)),
        renewals=renewals.fetch(account, customer, subscriptions, gateway, go_on),
        sessions=_sessions(account, gateway, go_on),
    )


def _customer(key: str, gateway: Gateway) -> Customer:
    try:
        return gateway.fetch_customer(key)
    except MissingAtStripe:
        return NOBODY


def _card(
    customer: Customer, subscriptions: Iterable[Subscription], gateway: Gateway, go_on: Callable[[], None]
) -> Card:
    if not customer.payment_method or all(subscription.card.last4 for subscription in subscriptions):
        return NO_CARD
    go_on()
    return gateway.fetch_card(customer.payment_method)


def _refunds(charges: Iterable[Charge], gateway: Gateway, go_on: Callable[[], None]) -> Iterable[Refund]:
    for charge in charges:
        if charge.is_refunded:
            go_on()
            yield from gateway.list_refunds(charge.payment_intent)


def _disputes(charges: Iterable[Charge], gateway: Gateway, go_on: Callable[[], None]) -> Iterable[Dispute]:
    for charge in charges:
        if charge.is_disputed:
            go_on()
            yield from gateway.list_disputes(charge.payment_intent)


def _sessions(account: BillingAccount, gateway: Gateway, go_on: Callable[[], None]) -> Mapping[str, str]:
    open_ones = account.checkout_attempts.filter(state=CheckoutAttempt.State.OPEN).exclude(session_id="")
    found = {}
    for key in open_ones.values_list("session_id", flat=True):
        go_on()
        try:
            found[key] = gateway.fetch_session(key).status
        except MissingAtStripe:
            found[key] = "expired"
    return found
