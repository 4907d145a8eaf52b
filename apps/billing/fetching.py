"""What Stripe knows of one account, read while its lease is held.

A noun that is read as well is a field of `Found`, a reader here, its place in `fetch`, and what `sync.apply` does with
it. A reader calls `visit.go_on` before each question.

Invoices are many, and those that are settled change no more, but for money that goes back. So a look reads the invoices
made lately, those that are not settled, and those that a waiting event names; all of them the first time, when the
reconciler found a difference, and when staff ask for it (`BillingAccount.read_in_full_at` is empty then).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Max, Q

from apps.billing import credit_mirror, renewals
from apps.billing.credit_mirror import FoundCredit
from apps.billing.errors import MissingAtStripe
from apps.billing.models import BillingAccount, CheckoutAttempt, StripeEvent
from apps.billing.money_mirror import SETTLED
from apps.billing.renewals import Renewal
from apps.billing.stripe_facts import Card, Charge, CreditNote, Customer, Dispute, Invoice, Refund, Subscription
from apps.billing.stripe_gateway import Gateway

NO_CARD = Card()
NOBODY = Customer("", is_deleted=True, currency="", payment_method="")
LATELY = timedelta(days=45)  # before the newest invoice, in Stripe's clock: the last month is always read again
MANY = 25  # single invoices to ask for; with more of them a list of all costs less
DRAFT = "draft"
OVER = ("won", "lost", "warning_closed", "prevented")  # disputes to which nothing happens any more
REFUNDED = ("succeeded", "canceled", "failed")


@dataclass(frozen=True)
class Found:
    """What Stripe said."""

    customer: Customer = NOBODY  # the one the account has now
    gone: tuple[str, ...] = ()  # former customers that are deleted at Stripe
    card: Card = NO_CARD  # charged where a subscription names none
    subscriptions: tuple[Subscription, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    missing_invoices: tuple[str, ...] = ()  # mirrored here, not there any more
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    credit_notes: tuple[CreditNote, ...] = ()
    renewals: Mapping[str, Renewal] = field(default_factory=dict)  # of subscriptions about which something changed
    sessions: Mapping[str, str] = field(default_factory=dict)  # id of each open checkout session → its status
    credit: FoundCredit = credit_mirror.NOTHING
    is_full: bool = True


@dataclass(frozen=True)
class Visit:
    """One look at Stripe. `go_on` prolongs the lease, and raises when there is no more time."""

    account: BillingAccount
    gateway: Gateway
    go_on: Callable[[], None]

    @property
    def is_full(self) -> bool:
        """Whether every invoice is read."""
        return self.account.read_in_full_at is None


def fetch(account: BillingAccount, gateway: Gateway, go_on: Callable[[], None]) -> Found:
    """Ask Stripe for everything.

    Raises  PaymentsAway; what `go_on` raises.
    """
    visit = Visit(account, gateway, go_on)
    customer = _customer(account.stripe_customer_id, visit)
    former = {key: _customer(key, visit) for key in _former(account)}
    living = [one for one in (customer, *former.values()) if not one.is_deleted]
    subscriptions = tuple(one for who in living for one in _subscriptions(who, visit))
    invoices, missing = _invoices(living, visit)
    before = [key for key, one in former.items() if not one.is_deleted]
    credit = credit_mirror.fetch(account, customer, before, gateway, go_on)
    made = [*credit.charges, *(charge for invoice in invoices for charge in invoice.charges)]
    charges = list({charge.payment_intent: charge for charge in made}.values())  # with an invoice: in both
    return Found(
        customer=customer,
        gone=tuple(key for key, one in former.items() if one.is_deleted),
        card=_card(customer, subscriptions, visit),
        subscriptions=subscriptions,
        invoices=invoices,
        missing_invoices=missing,
        refunds=tuple(_refunds(charges, visit)),
        disputes=tuple(_disputes(charges, visit)),
        credit_notes=tuple(_credit_notes(invoices, visit)),
        renewals=renewals.fetch(account, customer, subscriptions, gateway, go_on),
        sessions=_sessions(visit),
        credit=credit,
        is_full=visit.is_full,
    )


def _former(account: BillingAccount) -> Iterable[str]:
    others = account.former_customers.filter(gone_at=None, livemode=account.livemode)
    return list(others.order_by("replaced_at").values_list("pk", flat=True))


def _customer(key: str | None, visit: Visit) -> Customer:
    if key is None:
        return NOBODY
    visit.go_on()
    try:
        return visit.gateway.fetch_customer(key)
    except MissingAtStripe:
        return NOBODY


def _subscriptions(customer: Customer, visit: Visit) -> Iterator[Subscription]:
    visit.go_on()
    yield from visit.gateway.list_subscriptions(customer.id)


def _invoices(living: Iterable[Customer], visit: Visit) -> tuple[tuple[Invoice, ...], tuple[str, ...]]:
    """Invoices, and the ids of mirrored ones that are not there any more."""
    living = list(living)
    if not living:
        return (), ()
    newest = visit.account.invoices.aggregate(newest=Max("created"))["newest"]
    since = None if visit.is_full or newest is None else newest - LATELY
    drafts = visit.account.invoices.filter(status=DRAFT)  # the only ones that can be deleted
    single = list(_unsettled(visit.account)) if since else []
    if len(single) > MANY:
        since = None
    found: dict[str, Invoice] = {}
    for customer in living:
        visit.go_on()
        found |= {invoice.id: invoice for invoice in visit.gateway.list_invoices(customer.id, since=since)}
    if since is None:
        return tuple(found.values()), tuple(drafts.exclude(pk__in=list(found)).values_list("pk", flat=True))
    gone = []
    for key in single:
        if key not in found:
            visit.go_on()
            try:
                found[key] = visit.gateway.fetch_invoice(key)
            except MissingAtStripe:
                gone.append(key)
    return tuple(found.values()), tuple(gone)


def _unsettled(account: BillingAccount) -> Iterable[str]:
    """Mirrored invoices to which something may have happened: not settled, money on its way back, named by an event."""
    waiting = StripeEvent.objects.filter(account=account, state=StripeEvent.State.STORED)
    named = {key for keys in waiting.values_list("mentions", flat=True) for key in keys}
    moving = {
        *account.disputes.exclude(status__in=OVER).values_list("stripe_payment_intent_id", flat=True),
        *account.refunds.exclude(status__in=REFUNDED).values_list("stripe_payment_intent_id", flat=True),
    }
    touched = Q(pk__in=named) | Q(payments__in=named | moving) | Q(payments__stripe_charge_id__in=named)
    return account.invoices.filter(~Q(status__in=SETTLED) | touched).distinct().values_list("pk", flat=True)


def _card(customer: Customer, subscriptions: Iterable[Subscription], visit: Visit) -> Card:
    if not customer.payment_method or all(subscription.card.last4 for subscription in subscriptions):
        return NO_CARD
    visit.go_on()
    return visit.gateway.fetch_card(customer.payment_method)


def _refunds(charges: Iterable[Charge], visit: Visit) -> Iterator[Refund]:
    known = set(visit.account.refunds.values_list("stripe_payment_intent_id", flat=True))
    for charge in charges:
        if charge.is_refunded or charge.payment_intent in known:  # one that failed has left its charge again
            visit.go_on()
            yield from visit.gateway.list_refunds(charge.payment_intent)


def _disputes(charges: Iterable[Charge], visit: Visit) -> Iterator[Dispute]:
    """A bank that only asks leaves no mark on its charge: such a dispute is known by its event."""
    told = StripeEvent.objects.filter(
        account=visit.account, state=StripeEvent.State.STORED, type__startswith="charge.dispute."
    )
    known = {
        *visit.account.disputes.values_list("stripe_payment_intent_id", flat=True),
        *(key for keys in told.values_list("mentions", flat=True) for key in keys),
    }
    for charge in charges:
        if charge.is_disputed or not known.isdisjoint((charge.id, charge.payment_intent)):
            visit.go_on()
            yield from visit.gateway.list_disputes(charge.payment_intent)


def _credit_notes(invoices: Iterable[Invoice], visit: Visit) -> Iterator[CreditNote]:
    for invoice in invoices:
        if invoice.has_credit_notes:
            visit.go_on()
            yield from visit.gateway.list_credit_notes(invoice.id)


def _sessions(visit: Visit) -> Mapping[str, str]:
    attempts = visit.account.checkout_attempts.filter(state=CheckoutAttempt.State.OPEN).exclude(session_id="")
    found = {}
    for key in attempts.values_list("session_id", flat=True):
        visit.go_on()
        try:
            found[key] = visit.gateway.fetch_session(key).status
        except MissingAtStripe:
            found[key] = "expired"
    return found
