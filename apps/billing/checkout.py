"""Buying a plan: one open attempt per account, the price chosen here, the card entered at Stripe."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.billing import customers, leases, plan_choices, plans, promotions, stripe_gateway
from apps.billing.errors import (
    AlreadySubscribed,
    CheckoutBusy,
    CurrencyFixed,
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
TAX: Mapping[str, object] = {  # what the customer has at Stripe is completed from the payment page: tax needs a place
    "automatic_tax": {"enabled": True},
    "tax_id_collection": {"enabled": True},
    "customer_update": {"address": "auto", "name": "auto"},
}
CANCELED = "canceled=yes"


def open_checkout(
    account: BillingAccount, plan_key: str, interval: str, currency: str, code: str = "", *, now: datetime
) -> str:
    """Give the address at which the account can pay for a plan: a bearer credential, for one redirect.

    code    a promotion code that came with a link; without one the payment page may ask for it.
    Effect  the network and acts of its own. A second click, or a second tab, gets the same address.
    Raises  NotOnSale, CurrencyFixed, OnHold, AlreadySubscribed, NotOnSaleYet, CodeRefused, PaymentRefused,
            PaymentsAway: nothing was charged.
    """
    terms, price = _choose(account, plan_key, interval, currency)
    gateway = stripe_gateway.patient()
    promotion = promotions.find(account, code, currency, gateway, now=now) if code else ""
    for _try in range(TRIES):
        _close_other(account, price, promotion, gateway, now=now)
        attempt = _attempt(account, price, promotion, now=now)
        if not _is_for(attempt, price, promotion):
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
        raise CurrencyFixed(account.currency)
    if account.hold_reason:
        raise OnHold  # it would be paid for, and give nothing
    if account.subscriptions.live().exists():
        raise AlreadySubscribed
    price = plan_choices.find_price(plan_key, interval, currency)
    if price is None:
        raise NotOnSaleYet
    return terms, price


def trial_days(account: BillingAccount | None, terms: PlanTerms) -> int:
    """How many days somebody may try a plan for nothing: once per account. None: a stranger, who may."""
    if account is None:
        return terms.trial_days
    had_it = account.trial_consumed_at is not None or account.subscriptions.live().exists()
    return 0 if had_it or account.hold_reason else terms.trial_days


def _is_for(attempt: CheckoutAttempt, price: Price, promotion: str) -> bool:
    return (attempt.lookup_key, attempt.promotion_code) == (price.lookup_key, promotion)


def _close_other(account: BillingAccount, price: Price, promotion: str, gateway: Gateway, *, now: datetime) -> None:
    """End an open attempt for something else, at Stripe first: two open pages could both be paid."""
    attempt = account.checkout_attempts.filter(state=State.OPEN).first()
    if attempt is None or (_is_for(attempt, price, promotion) and attempt.expires_at > now + SLACK):
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


def _attempt(account: BillingAccount, price: Price, promotion: str, *, now: datetime) -> CheckoutAttempt:
    """The open attempt of the account, made where there is none. An act; the row's key is the key at Stripe."""
    with transaction.atomic(durable=True):
        BillingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        found: CheckoutAttempt | None = account.checkout_attempts.filter(state=State.OPEN).first()
        if found is not None:
            return found
        return CheckoutAttempt.objects.create(
            account=account,
            lookup_key=price.lookup_key,
            promotion_code=promotion,
            created_at=now,
            expires_at=now + LIFETIME,
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
    if days := trial_days(attempt.account, terms):
        subscription["trial_period_days"] = days
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
        "payment_method_collection": plans.catalogue().checkout.payment_method_collection,
        **_discounts(attempt),
        **(TAX if settings.STRIPE_AUTOMATIC_TAX else {}),
    }


def _discounts(attempt: CheckoutAttempt) -> Mapping[str, object]:
    """The code that came with the link, or a field for one: Stripe takes one or the other."""
    if attempt.promotion_code:
        return {"discounts": [{"promotion_code": attempt.promotion_code}]}
    return {"allow_promotion_codes": True} if plans.catalogue().checkout.allow_promotion_codes else {}


def _end(attempt: CheckoutAttempt) -> None:
    CheckoutAttempt.objects.filter(pk=attempt.pk, state=State.OPEN).update(state=State.EXPIRED)


def _paid_already(account: BillingAccount) -> AlreadySubscribed:
    """The session was paid in another tab: what follows from that is found by the next sync."""
    with transaction.atomic(durable=True):
        leases.want_sync(account.pk)
    return AlreadySubscribed()
