"""Keyword-only builders: plain functions that make one thing, with defaults a test need not repeat."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from apps.accounts.models import User
from apps.billing import entitlements
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount, Plan, SubscriptionMirror, SubscriptionState
from apps.billing.plans import Limit, PlanTerms
from apps.core import ids
from apps.core.errors import CauserieError
from apps.inference.models import Run
from apps.usage import credits
from apps.usage.models import SpendingCap, UsageBucket, UsageLedger

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


def act(step, *arguments, **named):
    """Call a step as an act does: in a transaction that a refusal does not end, since the act may keep the refusal."""
    with transaction.atomic():
        try:
            return step(*arguments, **named)
        except CauserieError as error:
            refusal = error
    raise refusal


def person(*, email="someone@example.org", **fields):
    return User.objects.create_user(email, PASSWORD, **fields)


def account(*, owner=None, **fields):
    return BillingAccount.objects.create(owner=owner or person(), **{"created_at": NOW, **fields})


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


def run(*, account, channel="chat", model="chat-small", request=None, now=NOW, **fields):
    """A run as the web leaves it: waiting, with the job of its channel."""
    job = "chat.answer_message" if channel == "chat" else "developer.complete_request"
    queue = fields.pop("queue", "runs.free")
    moments = {"created_at": now, "nudged_at": now, "in_line_since": now}
    return Run.objects.create(
        account=account,
        channel=channel,
        job=job,
        queue=queue,
        model=model,
        request=request or {},
        **{**moments, **fields},
    )


def stripe_subscription(
    *, account, plan="premium", mrr_micro=8_000_000, at=NOW, interval="month", status="active", **state
):
    """A mirrored subscription with its first state; `state` overrides that state's fields."""
    Plan.objects.get_or_create(key=plan, defaults={"name": plan.title(), "rank": 10})
    mirror = SubscriptionMirror.objects.create(
        stripe_subscription_id=f"sub_{ids.uuid7().hex}", account=account, status=status, plan_id=plan,
        currency=state.get("currency", "usd"), mrr_micro=mrr_micro, started_at=at, synced_at=at,
    )  # fmt: skip
    subscription_state(subscription=mirror, mrr_micro=mrr_micro, at=at, interval=interval, status=status, **state)
    return mirror


def subscription_state(*, subscription, mrr_micro, at, interval="month", status="active", **fields):
    defaults = {"observed_at": at, "plan": subscription.plan, "currency": subscription.currency, "cause": "checkout"}
    return SubscriptionState.objects.create(
        subscription=subscription, account=subscription.account, mrr_micro=mrr_micro, effective_at=at,
        interval=interval, status=status, digest=ids.uuid7().hex, **{**defaults, **fields},
    )  # fmt: skip


def answer(*, account, at=NOW, **fields):
    """A settled ledger row."""
    defaults = {
        "kind": "settle", "channel": "chat", "plan_key": "free", "model": "chat-small", "backend": "local",
        "messages": 1, "input_tokens": 100, "output_tokens": 50, "cost_micro": 5, "currency": "usd",
        "cost_currency": "usd", "provenance": "reported", "occurred_at": at, "recorded_at": at, "run_id": ids.uuid7(),
    }  # fmt: skip
    return UsageLedger.objects.create(
        account=account, idempotency_key=f"settle:{ids.uuid7()}", **{**defaults, **fields}
    )


def subscription(*, account, plan="premium", now=NOW):
    """The account has a plan, as if sync had seen it paid."""
    with transaction.atomic():
        return entitlements.record(account, entitlements.Decision(plan, "subscription", "active"), now=now)


def credit(*, account, amount_micro, currency="usd", now=NOW):
    with transaction.atomic():
        credits.grant(account, "promo", f"test:{account.pk}:{amount_micro}", amount_micro, currency, now=now)


def cap(*, account, amount_micro, key_id=None, now=NOW):
    return SpendingCap.objects.create(account=account, key_id=key_id, amount_micro=amount_micro, set_at=now)


def spent_messages(*, account, used, now=NOW, model="chat-small"):
    """An open window of three hours in which so many messages were settled."""
    return UsageBucket.objects.create(
        account=account,
        limit_key=f"messages:{model}:3h",
        meter="messages",
        window_start=now,
        window_end=now + timedelta(hours=3),
        limit_value=20,
        settled=used,
    )
