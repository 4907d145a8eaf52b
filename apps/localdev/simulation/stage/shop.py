"""Plans are bought, renewed, changed and left at the local Stripe, and reach the product by its own sync."""

from datetime import datetime, timedelta

from apps.billing import checkout, outbox, plans, sync
from apps.billing.errors import AlreadySubscribed
from apps.billing.models import BillingAccount, InvoiceMirror, Price, StripeOutbox, SubscriptionMirror
from apps.localdev.simulation import subscribers
from apps.localdev.simulation.parameters import Parameters
from apps.localdev.simulation.stage import till
from apps.localdev.simulation.stage.guests import PAYS_IN, Guest
from apps.localdev.simulation.stage.till import Till
from apps.localdev.simulation.subscribers import Act, Moment

PATIENCE_S = 60.0
BREAKS_BEFORE = timedelta(hours=3)  # a renewal


class Stalled(Exception):
    """An account could not be brought up to date."""


def buy(guest: Guest, day: int, parameters: Parameters, shop: Till, *, now: datetime) -> None:
    """Buy a plan, from the pricing page to being back from Stripe; a declined card may end it. Inside `acts.whole`."""
    account, person = guest.account, guest.person
    if account.stripe_customer_id is None:
        shop.await_customer(guest.owner.email, now)
    else:
        shop.advance(account.stripe_customer_id, now)
        look(account, now=now)  # an interrupted try may have paid
    currency = account.currency or person.home.currency
    try:
        address = checkout.open_checkout(account, person.plan, person.interval, currency, now=now)
    except AlreadySubscribed:
        return look(account, now=now + PAYS_IN)
    is_declined, tries_again = subscribers.cards_of(person, day, parameters)
    is_paid = not (is_declined and not shop.pay(address, till.DECLINED, person.home.country) and not tries_again)
    if is_paid:
        is_paid = shop.pay(address, till.GOOD, person.home.country)
    if not is_paid:
        for session in account.checkout_attempts.exclude(session_id="").values_list("session_id", flat=True):
            shop.close_page(session)
    return look(account, now=now + PAYS_IN)


def carry_out(guest: Guest, mirror: SubscriptionMirror, moment: Moment, shop: Till) -> None:
    """Let the next thing happen to a subscription, and look at Stripe afterwards. Inside `acts.whole`."""
    customer = str(guest.account.stripe_customer_id)
    if moment.act is Act.RENEW_BADLY and mirror.current_period_end is not None:
        shop.advance(customer, mirror.current_period_end - BREAKS_BEFORE)
        shop.use_card(customer, mirror.pk, till.SAVED_FAILING)
    shop.advance(customer, moment.at)
    match moment.act:
        case Act.LEAVE:
            shop.leave(mirror.pk)
        case Act.CHANGE:
            _change(mirror, shop)
        case Act.MEND:
            _mend(customer, mirror, shop)
    look(guest.account, now=moment.at)


def look(account: BillingAccount, *, now: datetime) -> None:
    """One look at Stripe by the product's own sync, at a moment of the simulation.

    Letters are written and not sent: their addresses do not exist.
    Raises  Stalled: Stripe did not answer.
    """
    sync.sync_customer(account.pk, clock=lambda: now, budget_s=PATIENCE_S)
    account.refresh_from_db()
    if account.last_synced_at != now:
        raise Stalled(f"The account {account.pk} could not be brought up to date: Stripe does not answer.")
    letters = StripeOutbox.objects.filter(account=account, kind=outbox.MAIL, state=StripeOutbox.State.PENDING)
    letters.update(state=StripeOutbox.State.DONE)


def _change(mirror: SubscriptionMirror, shop: Till) -> None:
    [item] = mirror.items.select_related("price").all()
    plan = subscribers.LARGER[str(mirror.plan_id)]
    price = Price.objects.get(
        lookup_key=plans.lookup_key(plan, item.price.interval, item.price.currency), is_active=True
    )
    is_larger = (price.unit_amount_minor or 0) > (item.price.unit_amount_minor or 0)
    shop.change_plan(mirror.pk, item.pk, price.pk, is_charged_now=is_larger)


def _mend(customer: str, mirror: SubscriptionMirror, shop: Till) -> None:
    shop.use_card(customer, mirror.pk, till.SAVED_GOOD)
    late = InvoiceMirror.objects.filter(stripe_subscription_id=mirror.pk, status="open").order_by("created")
    for invoice in late.values_list("pk", flat=True):
        shop.pay_invoice(invoice)
