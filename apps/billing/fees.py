"""What Stripe keeps of each payment: read once it is known, a little later than the payment itself."""

from datetime import datetime

from django.db.models import Q

from apps.billing.errors import MissingAtStripe
from apps.billing.models import PaymentMirror
from apps.billing.stripe_gateway import Gateway

# A payment of which Stripe has not booked anything yet is asked about again by the next run, after the newer ones.
DUE = Q(fee_minor=None, status="succeeded") & ~Q(stripe_charge_id="")


def read_due(gateway: Gateway, *, at_most: int, now: datetime) -> int:
    """Ask for the fees of payments that have none yet, the newest first; say how many are known now.

    Effect  an act for each: one conditional UPDATE, which says too that the row changed. Repeat: what is left.
    Raises  PaymentsAway: the next run goes on.
    """
    known = 0
    for key, charge in (
        PaymentMirror.objects.filter(DUE).order_by("-created").values_list("pk", "stripe_charge_id")[:at_most]
    ):
        try:
            fee = gateway.fetch_fee(charge)
        except MissingAtStripe:
            continue
        if fee is not None:
            facts = {"fee_minor": fee.amount_minor, "fee_currency": fee.currency, "available_on": fee.available_on}
            known += PaymentMirror.objects.filter(DUE, pk=key).update(**facts, synced_at=now)
    return known
