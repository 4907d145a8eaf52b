"""What a person lets be spent in a calendar month (UTC): by the account, and by each of its API keys.

Spending is counted with and without a cap, so that a cap set in the middle of a month knows what went before it.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.billing.models import BillingAccount
from apps.core import money
from apps.core.errors import Invalid
from apps.usage import limits
from apps.usage.limits import Cap
from apps.usage.models import SpendingCap, UsageBucket

MOST_MICRO = 1_000_000 * money.MICRO  # a million: more is a slip of the pen


def caps_of(account: BillingAccount, key_id: UUID | None, currency: str) -> tuple[Cap, ...]:
    """What a call with this key meets: the account's month and the key's own, capped or not. One read."""
    amounts = amounts_of(account)
    keys = (None, key_id) if key_id else (None,)
    return tuple(limits.spending_cap(amounts.get(key), currency, key) for key in keys)


def amounts_of(account: BillingAccount) -> dict[UUID | None, int]:
    """Every cap of the account in micro-units, by key; None is the account's own."""
    return dict(SpendingCap.objects.filter(account=account).values_list("key_id", "amount_micro"))


def spent_micro(account: BillingAccount, keys: Iterable[UUID | None], *, now: datetime) -> dict[UUID | None, int]:
    """What each key (None: the account) spent this month, with what running answers have set aside."""
    wanted = {limits.spending_cap(None, "", key).key: key for key in keys}
    rows = UsageBucket.objects.of(account).running(at=now).filter(limit_key__in=wanted)
    found = {wanted[row.limit_key]: row.settled + row.reserved for row in rows}
    return {key: found.get(key, 0) for key in wanted.values()}


def read_amount(text: str) -> int | None:
    """What a person wrote into the field of a cap: an amount in micro-units; nothing written is no cap.

    Raises  Invalid `cap`: that is no amount, or finer than a cent, which the field could not show again.
    """
    if not text.strip():
        return None
    sentence = _("Write an amount such as 20 or 20.50, or leave it empty for no cap.")
    try:
        amount_micro = money.micro_from_text(text)
    except ValueError:
        raise Invalid(sentence, field="cap") from None
    if amount_micro % money.MICRO_PER_MINOR:
        raise Invalid(sentence, field="cap")
    return amount_micro


def write_amount(amount_micro: int | None) -> str:
    """The same the other way: “20.00”, and nothing for no cap."""
    return "" if amount_micro is None else str(money.decimal_from_micro(amount_micro))


def set_cap(account: BillingAccount, amount_micro: int | None, *, key_id: UUID | None = None, now: datetime) -> None:
    """Let so much be spent in a month; None lets everything. In force from the next call on.

    Effect  an act. What was spent this month stays spent: a lower cap may be used up at once.
    Raises  Invalid `cap`: below nothing, or beyond a million.
    """
    if amount_micro is not None and not 0 <= amount_micro <= MOST_MICRO:
        raise Invalid(_("A cap is an amount from 0 to 1,000,000."), field="cap")
    with transaction.atomic(durable=True):
        if amount_micro is None:
            SpendingCap.objects.filter(account=account, key_id=key_id).delete()
            return
        SpendingCap.objects.update_or_create(
            account=account, key_id=key_id, defaults={"amount_micro": amount_micro, "set_at": now}
        )
