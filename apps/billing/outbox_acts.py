"""How each kind of row in the outbox is done. False: it must not be done as things are now, and is withdrawn."""

from collections.abc import Callable, Mapping

from apps.billing import emails, stripe_gateway
from apps.billing.models import StripeOutbox

CANCEL, MOVE, MAIL = "cancel_subscription", "move_price", "mail"
METADATA = "repair_metadata"


def _cancel(row: StripeOutbox) -> bool:
    stripe_gateway.background().cancel_subscription(row.payload["subscription"], key=row.key)
    return True


def _move(row: StripeOutbox) -> bool:
    wanted = row.payload
    prices = wanted["from"], wanted["to"]
    return stripe_gateway.background().move_price(wanted["subscription"], wanted["item"], prices, key=row.key)


def _mail(row: StripeOutbox) -> bool:
    if row.account is not None and row.account.erased_at is None:
        emails.send(row.payload["letter"], row.payload, row.account.owner)
    return True


def _say_whose(row: StripeOutbox) -> bool:
    stripe_gateway.background().say_whose(row.payload["object"], str(row.account_id), key=row.key)
    return True


PERFORM: Mapping[str, Callable[[StripeOutbox], bool]] = {
    CANCEL: _cancel,
    MOVE: _move,
    MAIL: _mail,
    METADATA: _say_whose,
}
CHANGES_STRIPE = frozenset({CANCEL, MOVE})  # afterwards our mirror is behind
