"""What Stripe keeps of each payment: read once it is known, a little later than the payment itself."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Q

from apps.billing.errors import MissingAtStripe, PaymentRefused
from apps.billing.models import PaymentMirror
from apps.billing.stripe_gateway import Gateway

DUE = Q(fee_minor=None, status="succeeded") & ~Q(stripe_charge_id="")
Clock = Callable[[], datetime]


def read_due(gateway: Gateway, *, at_most: int, clock: Clock) -> int:
    """Ask for the fees of payments that have none yet; say how many are known now.

    They are asked for in no order, so that those which Stripe never books keep nobody waiting.
    Effect  an act for each: one conditional UPDATE, which says too when the row changed. Repeat: what is left.
    Raises  PaymentsAway: the next run goes on.
    """
    known = 0
    due = PaymentMirror.objects.filter(DUE).order_by("?").values_list("pk", "stripe_charge_id")
    for key, charge in list(due[:at_most]):
        try:
            fee = gateway.fetch_fee(charge)
        except (MissingAtStripe, PaymentRefused):
            continue
        if fee is not None:
            facts = {"fee_minor": fee.amount_minor, "fee_currency": fee.currency, "available_on": fee.available_on}
            known += PaymentMirror.objects.filter(DUE, pk=key).update(**facts, synced_at=clock())
    return known
