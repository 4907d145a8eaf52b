"""Buying a plan: one open attempt per account, the price chosen here, the card entered at Stripe."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.billing import customers, entitlements, leases, plans, stripe_gateway
from apps.billing.errors import (
    AlreadySubscribed,
    CheckoutBusy,
    MissingAtStripe,
    NotOnSale,
    NotOnSaleYet,
    OnHold,
    PaymentRefused,
    PaymentsAway,
)
from apps.billing.models import BillingAccount, CheckoutAttempt, Price
from apps.billing.stripe_facts import Session
from apps.billing.stripe_gateway import Gateway
from apps.billing.terms import PlanTerms

State = CheckoutAttempt.State
LIFETIME = timedelta(hours=23)  # Stripe takes up to 24 hours
SLACK = timedelta(minutes=30)  # an attempt that is about to expire is not offered again
TRIES = 2  # an attempt that turns out to be over is followed by one new one
OPEN, COMPLETE = "open", "complete"
OVER = Session("", "expired", "")
CANCELED = "canceled=yes"


def open_checkout(account: BillingAccount, plan_key: str, interval: str, currency: str, *, now: datetime) -> str:
    """Give the address at which the account can pay for a plan: a bearer credential, for one redirect.

    Effect  the network and acts of its own. A second click, or a second tab, gets the same address.
    Raises  NotOnSale, OnHold, AlreadySubscribed, NotOnSaleYet, PaymentRefused, PaymentsAway: nothing was charged.
    """
    terms, price = _choose(account, plan_key, interval, currency)
    gateway = stripe_gateway.patient()
    for _try in range(TRIES):
        _close_other(account, price, gateway, now=now)
        attempt = _attempt(account, price, now=now)
        if attempt.lookup_key != price.lookup_key:
            continue  # another tab was faster with another plan: its page is closed, then this one opens
        session = _session(attempt, terms, price, gateway, now=now)
        if session.status == OPEN:
            return session.url
        if session.status == COMPLETE:
            raise _paid_already(account)
        _end(attempt)
    raise CheckoutBusy


def _choose(account: BillingAccount, plan_key: str, interval: str, currency: str) -> tuple[PlanTerms, Price]:
    """The terms and the Price, both ours; the browser only named them."""
    catalogue = plans.catalogue()
    terms = catalogue.plans.get(plan_key)
    if terms is None or not terms.prices:
        raise NotOnSale(field="plan")
    if (interval, currency) not in terms.prices:
        raise NotOnSale(field="currency" if currency not in catalogue.currencies else "interval")
    if account.currency and account.currency != currency:
        raise NotOnSale(field="currency")
    if account.hold_reason:
        raise OnHold  # it would be paid for, and give nothing
    if account.subscriptions.live().exists():
        raise AlreadySubscribed
    price = Price.objects.filter(
        lookup_key=plans.lookup_key(plan_key, interval, currency), is_active=True, livemode=entitlements.is_live()
    ).first()
    if price is None:
        raise NotOnSaleYet
    return terms, price


def _close_other(account: BillingAccount, price: Price, gateway: Gateway, *, now: datetime) -> None:
    """End an open attempt for something else, at Stripe first: two open pages could both be paid."""
    attempt = account.checkout_attempts.filter(state=State.OPEN).first()
    if attempt is None or (attempt.lookup_key == price.lookup_key and attempt.expires_at > now + SLACK):
        return
    if attempt.session_id:
        try:
            gateway.expire_session(attempt.session_id, key=f"expire:{attempt.pk}")
        except MissingAtStripe:
            pass
        except PaymentRefused as error:
            if gateway.fetch_session(attempt.session_id).status == COMPLETE:
                raise _paid_already(account) from error
    _end(attempt)


def _attempt(account: BillingAccount, price: Price, *, now: datetime) -> CheckoutAttempt:
    """The open attempt of the account, made where there is none. An act; the row's key is the key at Stripe."""
    with transaction.atomic(durable=True):
        BillingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        found: CheckoutAttempt | None = account.checkout_attempts.filter(state=State.OPEN).first()
        if found is not None:
            return found
        return CheckoutAttempt.objects.create(
            account=account, lookup_key=price.lookup_key, created_at=now, expires_at=now + LIFETIME
        )


def _session(attempt: CheckoutAttempt, terms: PlanTerms, price: Price, gateway: Gateway, *, now: datetime) -> Session:
    """The attempt's session as it is now; opened under the attempt's own key where it has none."""
    try:
        if attempt.session_id:
            return gateway.fetch_session(attempt.session_id)
        customer = customers.ensure(attempt.account, gateway, key=str(attempt.pk), now=now)
        session = gateway.create_session(_params(attempt, terms, price, customer), key=f"checkout:{attempt.pk}")
    except MissingAtStripe as error:
        if error.param == "customer":
            BillingAccount.objects.filter(pk=attempt.account_id).update(customer_gone_at=now)
        return OVER
    except PaymentRefused as error:
        _end(attempt)
        if error.code == "idempotency_error":  # the price or the customer changed since the first click
            return OVER
        raise
    except PaymentsAway as error:
        if error.spends_key:
            _end(attempt)
        raise
    CheckoutAttempt.objects.filter(pk=attempt.pk).update(session_id=session.id)
    return session


def _params(attempt: CheckoutAttempt, terms: PlanTerms, price: Price, customer: str) -> Mapping[str, object]:
    """What Stripe is asked: only from rows and settings, so that the same attempt always asks the same."""
    ours = {"account_id": str(attempt.account_id), "plan_key": terms.key}
    site = settings.SITE_URL
    subscription: dict[str, object] = {"metadata": ours, "billing_mode": {"type": "flexible"}}
    if terms.trial_days and attempt.account.trial_consumed_at is None:
        subscription["trial_period_days"] = terms.trial_days
        subscription["trial_settings"] = {"end_behavior": {"missing_payment_method": "cancel"}}
    return {
        "mode": "subscription",
        "ui_mode": "hosted_page",
        "customer": customer,
        "client_reference_id": str(attempt.account_id),
        "line_items": [{"price": price.pk, "quantity": 1}],
        "success_url": f"{site}{reverse('billing:after-checkout')}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{site}{reverse('billing:pricing')}?{CANCELED}",
        "expires_at": int(attempt.expires_at.timestamp()),
        "metadata": ours,
        "subscription_data": subscription,
    }


def _end(attempt: CheckoutAttempt) -> None:
    CheckoutAttempt.objects.filter(pk=attempt.pk, state=State.OPEN).update(state=State.EXPIRED)


def _paid_already(account: BillingAccount) -> AlreadySubscribed:
    """The session was paid in another tab: what follows from that is found by the next sync."""
    with transaction.atomic(durable=True):
        leases.want_sync(account.pk)
    return AlreadySubscribed()
