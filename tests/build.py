"""Keyword-only builders: plain functions that make one thing, with defaults a test need not repeat."""

from datetime import UTC, datetime, timedelta

from apps.accounts.models import User
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.billing.plans import Limit, PlanTerms

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


def person(*, email="someone@example.org", **fields):
    return User.objects.create_user(email, PASSWORD, **fields)


def account(*, owner=None, **fields):
    return BillingAccount.objects.create(owner=owner or person(), **fields)


def limit(*, meter=Meter.MESSAGES, models=("chat-small",), amount=20, window="3h", fallback_model=None):
    hours = {"3h": 3, "1d": 24, "7d": 168}[window]
    return Limit(
        meter=meter,
        models=models,
        amount=amount,
        window=timedelta(hours=hours),
        window_text=window,
        when_spent="fallback" if fallback_model else "refuse",
        fallback_model=fallback_model,
    )


def plan(*, key="free", limits=None, **fields):
    defaults = {
        "name": key.title(),
        "rank": 0,
        "models": ("chat-small",),
        "queue": "runs.free",
        "concurrency": 100,
        "context_tokens": 1536,
        "output_tokens": 384,
        "api_requests_per_minute": 20,
        "api_tokens_per_minute": 20_000,
        "features": (),
        "prices": {},
    }
    return PlanTerms(**{**defaults, **fields}, key=key, limits=(limit(),) if limits is None else tuple(limits))
