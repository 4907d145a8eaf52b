"""Buying credit on Stripe's page: one open try per account, apart from one for a plan, since both may be wanted.

A second click on the same amount gets the same page; another amount closes the page before it. What was paid is seen by
sync alone (`credit_mirror`), and `usage` grants it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from apps.billing import customers, developer_shelf, entitlements, leases, plans, stripe_gateway
from apps.billing.errors import (
    CheckoutBusy,
    CreditNotOnSale,
    MissingAtStripe,
    NotOnSaleYet,
    OnHold,
    PaidAlready,
    PaymentRefused,
    PaymentsAway,
)
from apps.billing.models import BillingAccount, CreditPurchase, Price
from apps.billing.stripe_facts import Session
from apps.billing.stripe_facts.payments import ACCOUNT, CREDIT, PURCHASE, SELLS
from apps.billing.stripe_gateway import Gateway
from apps.billing.terms import MINOR, CreditOffer

State, Kind = CreditPurchase.State, CreditPurchase.Kind
LIFETIME = timedelta(hours=23)  # Stripe takes up to 24 hours
SLACK = timedelta(minutes=30)  # a page that is about to expire is not offered again
TRIES = 2
OPEN, COMPLETE = "open", "complete"
OVER = Session("", "expired", "")
PAGE, AFTER = "/settings/credit/", "/settings/credit/bought/"  # pages of `usage`, which stands above


def offer_in(currency: str) -> CreditOffer | None:
    """What of credit is sold in a currency; None: nothing."""
    catalogue = plans.catalogue()
    return catalogue.developer.credit.get(currency) if catalogue.sells else None


def check_amount(amount_minor: int, currency: str, *, field: str = "amount") -> None:
    """Refuse what is not sold.

    Raises  CreditNotOnSale: no credit is sold in this currency, or not so much or so little at a time.
    """
    offer = offer_in(currency)
    if offer is None or not offer.allows(amount_minor):
        raise CreditNotOnSale(offer, currency, field=field)


def open_checkout(account: BillingAccount, amount_minor: int, currency: str, *, saves_card: bool, now: datetime) -> str:
    """Give the address at which the account can pay for credit: a bearer credential, for one redirect.

    saves_card  the card may be charged again when nobody is there: auto-recharge and usage charges need it.
    Effect      the network and acts of its own. A second click, or a second tab, gets the same address.
    Raises      CreditNotOnSale, OnHold, NotOnSaleYet, PaidAlready, CheckoutBusy, PaymentRefused, PaymentsAway: nothing
                more was charged.
    """
    check_amount(amount_minor, currency)
    if account.hold_reason:
        raise OnHold
    price = find_price(developer_shelf.credit_key(currency))
    wanted = CreditPurchase(
        account=account, kind=Kind.CHECKOUT, amount_minor=amount_minor, currency=currency, saves_card=saves_card,
        created_at=now, expires_at=now + LIFETIME,
    )  # fmt: skip
    gateway = stripe_gateway.patient()
    for _try in range(TRIES):
        _close_other(wanted, gateway, now=now)
        purchase = _open(wanted)
        if not _is_same(purchase, wanted):
            continue  # another tab was faster with another amount: its page is closed, then this one opens
        session = _session(purchase, price, gateway, now=now)
        if session.status == OPEN:
            return session.url
        if session.status == COMPLETE:
            raise _paid_already(account)
        _end(purchase, now=now)
    raise CheckoutBusy


def find_price(lookup_key: str) -> Price:
    """Our row of a published Price.

    Raises  NotOnSaleYet.
    """
    price: Price | None = Price.objects.filter(
        lookup_key=lookup_key, is_active=True, livemode=entitlements.is_live()
    ).first()
    if price is None:
        raise NotOnSaleYet
    return price


def find_by_session(account: BillingAccount, session: str) -> CreditPurchase | None:
    """The account's own purchase of a page at Stripe; None: it has none by this name."""
    found: CreditPurchase | None = account.credit_purchases.exclude(session_id="").filter(session_id=session).first()
    return found


def metadata(purchase: CreditPurchase) -> Mapping[str, str]:
    """What says at Stripe that a payment is for credit, and of which purchase."""
    return {SELLS: CREDIT, PURCHASE: str(purchase.pk), ACCOUNT: str(purchase.account_id)}


def _close_other(wanted: CreditPurchase, gateway: Gateway, *, now: datetime) -> None:
    """End an open page for another amount, at Stripe first: two open pages could both be paid."""
    found = wanted.account.credit_purchases.checkouts().open().first()
    if found is None or (_is_same(found, wanted) and found.expires_at and found.expires_at > now + SLACK):
        return
    if found.session_id:
        try:
            gateway.expire_session(found.session_id, key=f"expire:{found.pk}")
        except MissingAtStripe:
            pass
        except PaymentRefused as error:
            if gateway.fetch_session(found.session_id).status == COMPLETE:
                raise _paid_already(wanted.account) from error
    _end(found, now=now)


def _is_same(one: CreditPurchase, other: CreditPurchase) -> bool:
    facts = [(row.amount_minor, row.currency, row.saves_card) for row in (one, other)]
    return facts[0] == facts[1]


def _open(wanted: CreditPurchase) -> CreditPurchase:
    """The open try of the account, made where there is none. An act; the row's key is the key at Stripe."""
    with transaction.atomic(durable=True):
        CreditPurchase.objects.bulk_create([wanted], ignore_conflicts=True)
        found: CreditPurchase = wanted.account.credit_purchases.checkouts().open().get()
        return found


def _session(purchase: CreditPurchase, price: Price, gateway: Gateway, *, now: datetime) -> Session:
    """The try's session as it is now; opened under its own key where it has none."""
    try:
        if purchase.session_id:
            return gateway.fetch_session(purchase.session_id)
        customer = customers.ensure(purchase.account, gateway, key=str(purchase.pk), now=now)
        session = gateway.create_session(_params(purchase, price, customer), key=f"credit:{purchase.pk}")
    except MissingAtStripe as error:
        if error.param == "customer":
            BillingAccount.objects.filter(pk=purchase.account_id).update(customer_gone_at=now)
        return OVER
    except PaymentRefused as error:
        _end(purchase, now=now)
        if error.code == "idempotency_error":  # the price or the customer changed since the first click
            return OVER
        raise
    except PaymentsAway as error:
        if error.spends_key:
            _end(purchase, now=now)
        raise
    CreditPurchase.objects.filter(pk=purchase.pk).update(session_id=session.id)
    return session


def _params(purchase: CreditPurchase, price: Price, customer: str) -> Mapping[str, object]:
    """What Stripe is asked: only from rows and settings, so that the same try always asks the same."""
    ours, site = metadata(purchase), settings.SITE_URL
    payment: dict[str, object] = {"metadata": ours}
    if purchase.saves_card:
        payment["setup_future_usage"] = "off_session"
    assert purchase.expires_at is not None  # noqa: S101 every page has an end
    return {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "customer": customer,
        "client_reference_id": str(purchase.account_id),
        "line_items": [{"price": price.pk, "quantity": purchase.amount_minor // MINOR}],
        "success_url": f"{site}{AFTER}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{site}{PAGE}?canceled=yes",
        "expires_at": int(purchase.expires_at.timestamp()),
        "metadata": ours,
        "payment_intent_data": payment,
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": ours}},
    }


def _end(purchase: CreditPurchase, *, now: datetime) -> None:
    CreditPurchase.objects.open().filter(pk=purchase.pk).update(state=State.EXPIRED, closed_at=now)


def _paid_already(account: BillingAccount) -> PaidAlready:
    """The page was paid in another tab: what follows from that is found by the next sync."""
    with transaction.atomic(durable=True):
        leases.want_sync(account.pk)
    return PaidAlready()
