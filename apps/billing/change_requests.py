"""What a person agreed to is asked of Stripe under the row's own key, until it is known what became of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from apps.billing import change_acts, leases, stripe_gateway
from apps.billing.errors import ChangeUnderWay, MissingAtStripe, PaymentRefused, PaymentsAway
from apps.billing.models import BillingAccount, PlanChange, SubscriptionMirror
from apps.billing.stripe_gateway import Gateway
from apps.core import guards

Kind, State = PlanChange.Kind, PlanChange.State
Clock = Callable[[], datetime]
FORGOTTEN = timedelta(minutes=2)  # whoever asked has died: the same is asked again
GIVEN_UP = timedelta(minutes=30)  # nobody expects to be charged so long after they agreed
BATCH = 100
TEXT = 300


def begin(
    account: BillingAccount, subscription: SubscriptionMirror, kind: PlanChange.Kind, *, clock: Clock, **more: object
) -> PlanChange:
    """Write down what the person wants, then ask Stripe for it. `more`: other fields of the row.

    Effect  acts, and the network.
    Raises  ChangeUnderWay, PaymentsAway.
    """
    now = clock()
    try:
        with transaction.atomic(durable=True):
            change = PlanChange.objects.create(
                account=account, subscription=subscription, kind=kind, state=State.AGREED,
                created_at=now, agreed_at=now, **more,
            )  # fmt: skip
    except IntegrityError as error:
        raise ChangeUnderWay from error
    return send(change, stripe_gateway.patient(), clock=clock)


def send(change: PlanChange, gateway: Gateway, *, clock: Clock) -> PlanChange:
    """Ask Stripe, and write down what became of it. No answer leaves the change agreed; asking again is harmless.

    Effect  the network, then an act. The next sync sees what an answer that was lost would have said.
    """
    state, invoice, reason = State.AGREED, "", ""
    try:
        state, invoice, reason = change_acts.ASK[Kind(change.kind)](change, gateway)
    except (PaymentRefused, MissingAtStripe) as error:
        state, reason = State.REFUSED, str(error.sentence)
    except PaymentsAway as error:
        if not error.spends_key:
            _look(change)
            return change
    values = {"state": state, "invoice_id": invoice, "error": reason[:TEXT], "answered_at": clock()}
    with transaction.atomic(durable=True):
        PlanChange.objects.unanswered().filter(pk=change.pk).update(**values)
        leases.want_sync(change.account_id)
    change.refresh_from_db()
    return change


def send_forgotten(*, clock: Clock) -> int:
    """Ask again for what whoever asked first could not finish; the number of changes that were found."""
    forgotten = PlanChange.objects.all().forgotten(before=clock() - FORGOTTEN).filter(answered_at=None)
    found = list(forgotten.select_related("subscription", "to_price")[:BATCH])
    for change in found:
        assert change.agreed_at is not None  # noqa: S101 the query asks for it
        if change.agreed_at > clock() - GIVEN_UP:
            send(change, stripe_gateway.background(), clock=clock)
        else:  # the next sync decides by what Stripe has
            with transaction.atomic(durable=True):
                PlanChange.objects.unanswered().filter(pk=change.pk).update(answered_at=clock())
                leases.want_sync(change.account_id)
    return len(found)


def settle(account: BillingAccount, *, began: datetime, now: datetime) -> None:
    """Move changes on by what the mirror says now. A step of sync.

    began  when the sync began to look: an answer that came later is not judged by it.
    """
    guards.inside_transaction()
    open_ones = account.plan_changes.filter(state__in=(State.AGREED, State.UNPAID)).select_related("subscription")
    for change in open_ones:
        is_heard = change.answered_at is not None and change.answered_at <= began
        state = _seen(change, is_heard=is_heard)
        if state != change.state:
            moved = PlanChange.objects.filter(pk=change.pk, state=change.state)
            moved.update(state=state, answered_at=change.answered_at or now)


def _seen(change: PlanChange, *, is_heard: bool) -> str:
    subscription = change.subscription
    if change_acts.SEEN[Kind(change.kind)](change, subscription):
        return State.DONE
    if change.kind == Kind.NOW and subscription.pending_price_id == change.to_price_id:
        return State.UNPAID
    return State.LAPSED if is_heard else change.state


def _look(change: PlanChange) -> None:
    with transaction.atomic(durable=True):
        leases.want_sync(change.account_id)
