"""Payments for credit and the saved card, as Stripe has them. Reads of one visit, and steps of one sync."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from apps.billing import recharges, saved_cards
from apps.billing.errors import MissingAtStripe
from apps.billing.models import BillingAccount, CreditPayment, CreditPurchase, Overage, SubscriptionMirror
from apps.billing.stripe_facts import CardOnFile, Charge, Customer, Dispute, Payment
from apps.billing.stripe_gateway import Gateway
from apps.core import guards, jobs

State, Kind = CreditPurchase.State, CreditPurchase.Kind
PAID, REFUSED, CANCELED = "succeeded", "requires_payment_method", "canceled"
LOST = "lost"
ENDED = ("canceled", "incomplete_expired")


@dataclass(frozen=True)
class FoundCredit:
    """What Stripe said of credit."""

    payments: tuple[Payment, ...] = ()
    card: CardOnFile | None = None
    sessions: Mapping[str, str] = field(default_factory=dict)  # id of each open page → its status
    is_known: bool = False  # whether anything was asked

    @property
    def charges(self) -> tuple[Charge, ...]:
        """The last charge of each payment."""
        return tuple(payment.charge for payment in self.payments if payment.charge is not None)


NOTHING = FoundCredit()


def fetch(
    account: BillingAccount, customer: Customer, former: Iterable[str], gateway: Gateway, go_on: Callable[[], None]
) -> FoundCredit:
    """Ask Stripe for payments, the card and open pages of an account that ever wanted credit or usage charges.

    former  customers that it had before: their payments may still be refunded; their cards are charged no more.
    go_on   called before each question.
    Raises  PaymentsAway; what `go_on` raises.
    """
    is_concerned = account.credit_purchases.exists() or Overage.objects.filter(account=account).exists()
    if not is_concerned or customer.is_deleted:
        return NOTHING
    payments: list[Payment] = []
    for key in (customer.id, *former):
        go_on()
        payments += [one for one in gateway.list_payments(key) if one.is_for_credit]
    go_on()
    card = saved_cards.choose(customer, gateway.list_cards(customer.id))
    return FoundCredit(tuple(payments), card, _sessions(account, gateway, go_on), is_known=True)


def write(account: BillingAccount, found: FoundCredit, disputes: Iterable[Dispute], *, now: datetime) -> None:
    """Mirror payments and the card, close the purchases they end, and let `usage` grant what was paid.

    Effect  a step. What `usage` does with it is a job of its own; a sweeper finds what the nudge missed.
    """
    guards.inside_transaction()
    if not found.is_known:
        return
    saved_cards.write(account, found.card, now=now)
    purchases = {str(row.pk): row for row in account.credit_purchases.all()}
    known = {row.pk: row for row in account.credit_payments.all()}
    lost = [dispute for dispute in disputes if dispute.status == LOST]
    has_news = False
    for payment in found.payments:
        purchase = purchases.get(payment.purchase)
        lost_minor = sum(dispute.amount_minor for dispute in lost if dispute.payment_intent == payment.id)
        has_news |= _write_payment(account, known.get(payment.id), payment, purchase, lost_minor, now=now)
        if purchase is not None and purchase.state == State.OPEN:
            _close(purchase, payment, now=now)
    _expire(purchases.values(), found.sessions, now=now)
    recharges.end_failed(account, now=now)
    _end_overage(account, now=now)
    if has_news:
        jobs.enqueue("usage.collect_credit", str(account.pk))


def _sessions(account: BillingAccount, gateway: Gateway, go_on: Callable[[], None]) -> Mapping[str, str]:
    found = {}
    for key in account.credit_purchases.open().exclude(session_id="").values_list("session_id", flat=True):
        go_on()
        try:
            found[key] = gateway.fetch_session(key).status
        except MissingAtStripe:
            found[key] = "expired"
    return found


def _write_payment(
    account: BillingAccount,
    row: CreditPayment | None,
    payment: Payment,
    purchase: CreditPurchase | None,
    lost_minor: int,
    *,
    now: datetime,
) -> bool:
    facts = {
        "account_id": account.pk,
        "purchase_id": purchase.pk if purchase else None,
        "status": payment.status,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "refunded_minor": payment.charge.refunded_minor if payment.charge else 0,
        "lost_minor": lost_minor,
        "created": payment.created,
    }
    if row is None:
        CreditPayment.objects.create(pk=payment.id, **facts, synced_at=now)
        return True
    if all(getattr(row, name) == value for name, value in facts.items()):
        return False
    CreditPayment.objects.filter(pk=row.pk).update(**facts, synced_at=now)
    return True


def _close(purchase: CreditPurchase, payment: Payment, *, now: datetime) -> None:
    """A payment that was received ends its purchase; one that was refused ends a recharge, since nobody tries again."""
    if payment.status == PAID:
        _end(purchase, State.PAID, now=now)
        if purchase.kind == Kind.RECHARGE:
            recharges.tell_charged(purchase, now=now)
    elif payment.status == CANCELED or (payment.status == REFUSED and purchase.kind == Kind.RECHARGE):
        _end(purchase, State.FAILED, code=payment.failure_code or payment.status, now=now)


def _expire(purchases: Iterable[CreditPurchase], sessions: Mapping[str, str], *, now: datetime) -> None:
    for purchase in purchases:
        if purchase.state == State.OPEN and sessions.get(purchase.session_id) == "expired":
            _end(purchase, State.EXPIRED, now=now)


def _end(purchase: CreditPurchase, state: str, *, code: str = "", now: datetime) -> None:
    purchase.state, purchase.failure_code, purchase.closed_at = state, code, now
    purchase.save(update_fields=["state", "failure_code", "closed_at"])


def _end_overage(account: BillingAccount, *, now: datetime) -> None:
    """What ended at Stripe without us, unpaid or by staff, is off here: the person may turn it on again."""
    own = Overage.objects.filter(account=account, is_on=True).exclude(stripe_subscription_id="").first()
    if own is None:
        return
    ended = SubscriptionMirror.objects.filter(pk=own.stripe_subscription_id, status__in=ENDED)
    if ended.exists():
        Overage.objects.filter(pk=own.pk, number=own.number).update(is_on=False, changed_at=now)
