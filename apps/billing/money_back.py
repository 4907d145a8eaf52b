"""What went back of each invoice, in words, for the pages that list invoices. Reads only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from apps.billing import offers
from apps.billing.models import BillingAccount

ON_ITS_WAY = ("succeeded", "pending")
ISSUED = "issued"


def told(account: BillingAccount) -> Mapping[str, Sequence[str]]:
    """Invoice → what of it was given back, and the credit notes that say so on paper."""
    found: dict[str, list[str]] = defaultdict(list)
    invoice_of = dict(account.payments.exclude(invoice=None).values_list("pk", "invoice_id"))
    for refund in account.refunds.filter(status__in=ON_ITS_WAY).order_by("created"):
        if invoice := invoice_of.get(refund.stripe_payment_intent_id):
            words = {"amount": offers.money(refund.amount_minor, refund.currency)}
            found[invoice].append(_("%(amount)s given back") % words)
    for note in account.credit_notes.filter(status=ISSUED).order_by("created"):
        words = {"number": note.number, "amount": offers.money(note.amount_minor, note.currency)}
        found[note.stripe_invoice_id].append(_("Credit note %(number)s: %(amount)s") % words)
    return found
