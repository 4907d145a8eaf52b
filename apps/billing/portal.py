"""The customer portal at Stripe: card, invoices, plan change, cancellation. Addresses are made per click."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.billing import stripe_gateway
from apps.billing.errors import MissingAtStripe, NothingToManage
from apps.billing.models import BillingAccount
from apps.core.errors import Missing

CARD = "card"
NO_INVOICE = _("This invoice is not there.")


def open_portal(account: BillingAccount, task: str = "", *, now: datetime) -> str:
    """Give the address at which the account manages what it bought: a bearer credential, for one redirect.

    task    CARD: only to replace the card, and straight back. Anything else: all of it.
    Raises  NothingToManage: it never bought anything, or its customer is gone. PaymentsAway.
    """
    if account.stripe_customer_id is None or account.customer_gone_at is not None:
        raise NothingToManage
    gateway = stripe_gateway.patient()
    configuration = gateway.find_portal_configuration()
    back = settings.SITE_URL + reverse("billing:after-portal")
    params: dict[str, object] = {"customer": account.stripe_customer_id, "return_url": back}
    if task == CARD:
        after = {"type": "redirect", "redirect": {"return_url": back}}
        params["flow_data"] = {"type": "payment_method_update", "after_completion": after}
    if configuration is not None:
        params["configuration"] = configuration[0]
    try:
        return gateway.create_portal_session(params, key=f"portal:{account.pk}:{now.isoformat()}")
    except MissingAtStripe as error:
        raise NothingToManage from error


def open_file(account: BillingAccount, invoice_id: str) -> str:
    """Give the address of one of the account's invoices as a file: a bearer credential, for one redirect.

    Raises  Missing: not there, or not the account's. PaymentsAway.
    """
    if not account.invoices.filter(pk=invoice_id).exclude(status="draft").exists():
        raise Missing(NO_INVOICE)
    url = stripe_gateway.patient().fetch_invoice_file(invoice_id)
    if not url:
        raise Missing(NO_INVOICE)
    return url


def open_invoice(account: BillingAccount, invoice_id: str) -> str:
    """Give the address at which Stripe shows one of the account's invoices: a bearer credential, for one redirect.

    Raises  Missing: not there, or not the account's. PaymentsAway.
    """
    if not account.invoices.filter(pk=invoice_id).exclude(status="draft").exists():
        raise Missing(NO_INVOICE)
    url = stripe_gateway.patient().fetch_invoice_url(invoice_id)
    if not url:
        raise Missing(NO_INVOICE)
    return url
