"""How each kind of row in the outbox is done. False: it must not be done as things are now, and is withdrawn."""

from collections.abc import Callable, Mapping

from apps.billing import credit_acts, emails, stripe_gateway
from apps.billing.models import StripeOutbox

CANCEL, MOVE, MAIL = "cancel_subscription", "move_price", "mail"
RECHARGE, START_OVERAGE, END_OVERAGE = "recharge", "start_overage", "end_overage"


def _cancel(row: StripeOutbox) -> bool:
    return credit_acts.end_subscription(row.payload["subscription"], key=row.key)


def _move(row: StripeOutbox) -> bool:
    wanted = row.payload
    prices = wanted["from"], wanted["to"]
    return stripe_gateway.background().move_price(wanted["subscription"], wanted["item"], prices, key=row.key)


def _mail(row: StripeOutbox) -> bool:
    if row.account is not None and row.account.erased_at is None:
        emails.send(row.payload["letter"], row.payload, row.account.owner)
    return True


PERFORM: Mapping[str, Callable[[StripeOutbox], bool]] = {
    CANCEL: _cancel,
    MOVE: _move,
    MAIL: _mail,
    RECHARGE: credit_acts.recharge,
    START_OVERAGE: credit_acts.begin_usage,
    END_OVERAGE: credit_acts.end_usage,
}
CHANGES_STRIPE = frozenset({CANCEL, MOVE, RECHARGE, START_OVERAGE, END_OVERAGE})  # afterwards our mirror is behind
