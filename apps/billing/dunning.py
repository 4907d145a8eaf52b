"""What is wrong with the paying of an account, and the one thing that puts it right. Reads, for banner and pages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings

from apps.billing import entitlements, offers, portal
from apps.billing.access import NOT_PAID
from apps.billing.errors import NothingToPay
from apps.billing.models import BillingAccount, InvoiceMirror, SubscriptionMirror
from apps.billing.plans import catalogue

FAILED, CONFIRM, HELD = "failed", "confirm", "held"
LATE = ("past_due", "unpaid")


@dataclass(frozen=True)
class Trouble:
    """What a person must know on every page.

    kind       failed: the card was refused; confirm: the bank wants its customer; held: nothing can be done here.
    until      the plan stays until then; None: it has stopped, and the account is on `fallback`.
    """

    kind: str
    plan: str
    amount: str
    until: datetime | None
    fallback: str
    hold: str = ""
    contact: str = ""  # who answers about a hold
    invoice: str = ""


def find_trouble(account: BillingAccount, *, now: datetime) -> Trouble | None:
    """What is wrong; None where nothing is. One read of the account is all that most people cost."""
    terms = catalogue().default_terms()
    if account.hold_reason:
        has_bought = account.subscriptions.filter(gone_at=None, plan__isnull=False).exists()
        contact = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        held = Trouble(HELD, "", "", None, terms.name, hold=account.hold_reason, contact=contact)
        return held if has_bought else None
    if account.delinquent_since is None:
        return None
    late = account.subscriptions.live().filter(status__in=LATE).select_related("plan").order_by("-plan__rank")
    subscription = late.first()
    invoice = _open_bill(account, subscription) if subscription else None
    if subscription is None or subscription.plan is None or invoice is None:
        return None
    kind = CONFIRM if invoice.needs_action else FAILED
    amount = offers.money(invoice.amount_due_minor, invoice.currency)
    until = _until(account, subscription, now=now)
    return Trouble(kind, subscription.plan.name, amount, until, terms.name, invoice=invoice.pk)


def open_bill(account: BillingAccount, *, now: datetime) -> str:
    """Give the address at Stripe where the open bill is paid: a bearer credential, for one redirect.

    Raises  NothingToPay; PaymentsAway.
    """
    trouble = find_trouble(account, now=now)
    if trouble is None or not trouble.invoice:
        raise NothingToPay
    return portal.open_invoice(account, trouble.invoice)


def grace_ends(account: BillingAccount) -> datetime | None:
    """When an account that is late loses its plan; None when it is not late."""
    since = account.delinquent_since
    return since + timedelta(days=catalogue().grace_days) if since else None


def _open_bill(account: BillingAccount, subscription: SubscriptionMirror) -> InvoiceMirror | None:
    invoices = account.invoices.filter(status="open", stripe_subscription_id=subscription.pk)
    found: InvoiceMirror | None = invoices.order_by("created").first()
    return found


def _until(account: BillingAccount, subscription: SubscriptionMirror, *, now: datetime) -> datetime | None:
    """Until when the plan stays: what is in force says it, a longer plan that was given included."""
    has, ends = entitlements.in_force(account, now=now), grace_ends(account)
    is_on = has.source not in NOT_PAID and subscription.status == "past_due"
    return ends if is_on and ends and ends > now else None
