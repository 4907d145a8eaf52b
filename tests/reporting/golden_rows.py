"""The rows that the product would have kept of the golden year."""

from collections import Counter
from datetime import timedelta
from functools import partial
from uuid import UUID

from apps.accounts.models import AuditEntry, Consent, User, VisitDay
from apps.billing import models as kept
from apps.billing import mrr
from apps.chat.models import ContentReport
from apps.core import ids
from apps.developer.models import ApiKey
from apps.inference.models import Run
from apps.privacy.models import DataRequest
from apps.usage.models import UsageAlert, UsageBucket, UsageLedger
from tests.reporting.golden import CENTS, day_of, end_of, fee_of


def store(book):
    """Write the rows that the product would have kept of it."""
    for plan in CENTS["month"]:
        kept.Plan.objects.create(key=plan, name=plan, rank=1)
    people = [_person(who) for who in book.customers]
    User.objects.bulk_create(people)
    accounts = [_account(who, owner) for who, owner in zip(book.customers, people, strict=True)]
    kept.BillingAccount.objects.bulk_create(accounts)
    owned = {who.number: account for who, account in zip(book.customers, accounts, strict=True)}
    kept.SubscriptionMirror.objects.bulk_create(
        {one.subscription: _mirror(one, owned[one.who.number]) for one in book.events["state"]}.values()
    )
    ApiKey.objects.bulk_create(
        ApiKey(pk=UUID(int=number + 1), account=account, name="robot", hint="sk-…", secret_hash=str(number),
               created_at=account.created_at)
        for number, account in owned.items()
    )  # fmt: skip
    came = Counter((day_of(one.at), one.page, one.source) for one in book.events["visit"])
    VisitDay.objects.bulk_create(
        VisitDay(day=day, page=page, source=source, visits=visits, changed_at=end_of(day))
        for (day, page, source), visits in came.items()
    )
    boss = next(one for one in people if one.is_staff)
    limits = [_bucket(one, owned[one.who.number]) for one in book.events["limit"]]
    UsageBucket.objects.bulk_create(limits)
    UsageAlert.objects.bulk_create(
        UsageAlert(account=bucket.account, bucket=bucket, percent=one.percent, run_id=ids.uuid7(), used=20,
                   limit_value=20, raised_at=one.at)
        for one, bucket in zip(book.events["limit"], limits, strict=True)
    )  # fmt: skip
    AuditEntry.objects.bulk_create(
        AuditEntry(actor=boss if one.by_staff else None, action=one.action, happened_at=one.at)
        for one in book.events["act"]
    )
    for kind, row_of in ROWS.items():
        for number, one in enumerate(book.events[kind]):
            one.pk = f"{kind}_{number}"
        rows = [row_of(one, owned[one.who.number], one.pk) for one in book.events[kind]]
        type(rows[0]).objects.bulk_create(rows)


def _person(who):
    kinds = {f"is_{kind}": who.kind == kind for kind in ("guest", "staff", "internal")}
    return User(email=f"p{who.number}@example.org", country=who.country, password="!", **kinds)


def _account(who, owner):
    customer = f"cus_{who.number}" if who.number % 2 or who.kind == "live" else None
    return kept.BillingAccount(
        owner=owner, created_at=who.joined, erased_at=who.erased, is_guest=who.kind == "guest",
        stripe_customer_id=customer, livemode=who.kind == "live",
    )  # fmt: skip


def _mirror(one, account):
    return kept.SubscriptionMirror(
        pk=one.subscription, account=account, status=one.status, plan_id=one.plan, currency=one.who.currency,
        started_at=one.at, synced_at=one.at,
    )  # fmt: skip


def _state(one, account, key):
    line = mrr.Line(one.cents, one.interval, one.count, one.quantity)
    coupon = mrr.Discount("forever" if one.is_forever else "once", one.percent_off, one.cents_off)
    return kept.SubscriptionState(
        subscription_id=one.subscription, account=account, effective_at=one.at, status=one.status, plan_id=one.plan,
        observed_at=one.at + timedelta(minutes=one.seen), interval=one.interval, currency=one.who.currency,
        mrr_micro=mrr.of_subscription(one.status, [line], [coupon], is_collection_paused=one.is_paused),
        cause=one.cause, digest=key,
    )  # fmt: skip


def _bucket(one, account):
    return UsageBucket(
        account=account, limit_key=f"{one.meter}:{ids.uuid7()}", meter=one.meter, window_start=one.at,
        window_end=one.at, limit_value=20, settled=20, is_open=False,
    )  # fmt: skip


def _invoice(one, account, key):
    return kept.InvoiceMirror(
        pk=key, account=account, stripe_subscription_id=one.subscription, status=one.status, billing_reason=one.reason,
        currency=one.who.currency, total_minor=one.cents, tax_minor=one.tax, created=one.at,
        amount_due_minor=max(one.cents, 0), amount_paid_minor=max(one.cents, 0) if one.paid else 0, paid_at=one.paid,
        first_failed_at=one.failed, given_up_at=one.given_up,
        period_start=one.at if one.until else None, period_end=one.until, synced_at=one.paid or one.at,
    )  # fmt: skip


def _back(model, one, account, key):
    return _money(model, one, account, key, stripe_payment_intent_id=one.of.pk)


def _money(model, one, account, key, **fields):
    return model(
        pk=key, account=account, amount_minor=one.cents, currency=one.who.currency, status=one.status, created=one.at,
        synced_at=one.at, **({"reason": one.reason} if hasattr(one, "reason") else {}), **fields,
    )  # fmt: skip


def _answer(one, account, key):
    return UsageLedger(
        account=account, run_id=ids.uuid7(), kind=one.entry, channel=one.channel, plan_key=one.plan, model=one.model,
        backend=one.backend, messages=one.messages, input_tokens=one.input_tokens, output_tokens=one.output_tokens,
        price_micro=one.price, cost_micro=one.cost, currency=one.who.currency, cost_currency="usd",
        key_id=one.key, earned_micro=one.earned, provenance=one.provenance,
        occurred_at=one.at, recorded_at=one.at, idempotency_key=key,
    )  # fmt: skip


def _run(one, account, _key):
    after = {"first_token_at": one.first_us, "started_at": one.waited_us}
    waits = {name: one.at + timedelta(microseconds=wait) for name, wait in after.items() if wait is not None}
    return Run(
        account=account, channel=one.channel, job="chat.answer_message", queue="runs.free", model=one.model,
        state=one.state, attempts=one.attempts, backend=one.backend, created_at=one.at, nudged_at=one.at,
        error_code=one.error if one.state == "failed" else "",
        ended_at=None if one.state == "running" else one.at + timedelta(seconds=9), **waits,
    )  # fmt: skip


ROWS = {
    "state": _state, "invoice": _invoice, "answer": _answer, "run": _run,
    "payment": lambda one, account, key: _money(
        kept.PaymentMirror, one, account, key, invoice_id=one.of.pk, fee_minor=fee_of(one),
        fee_currency=one.who.currency),
    "refund": partial(_back, kept.RefundMirror),
    "dispute": partial(_back, kept.DisputeMirror),
    "consent": lambda one, account, _key: Consent(
        user=account.owner, kind=one.paper, version="1", is_given=one.is_given, answered_at=one.at),
    "report": lambda one, account, _key: ContentReport(
        reporter=account.owner, text="An answer.", reason=one.reason, state=one.verdict, reported_at=one.at,
        changed_at=one.at),
    "request": lambda one, account, _key: DataRequest(
        user=account.owner, kind=one.paper, state="done", asked_at=one.at, next_at=one.at, done_at=one.done),
    "checkout": lambda one, account, _key: kept.CheckoutAttempt(
        account=account, lookup_key="premium", state="complete", created_at=one.at, expires_at=one.at),
}  # fmt: skip
