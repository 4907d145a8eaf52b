"""What billing promises of any account, as assertions: the invariants I1–I5, I9, I10 and I13."""

from datetime import timedelta

from django.db.models import Sum

from apps.billing import entitlements, sync
from apps.billing.models import (
    DriftItem,
    EntitlementSnapshot,
    InvoiceMirror,
    StripeOutbox,
    SubscriptionItemMirror,
    SubscriptionMirror,
    SubscriptionState,
)
from tests.support import comparison

GRACE = timedelta(days=7)
PAID = ("subscription", "trial")


def access_has_a_reason(account, *, now):
    """I4: whoever has a paid plan has a live subscription or a grant; an incomplete one is never a reason."""
    has = entitlements.in_force(account, now=now)
    if has.source not in PAID:
        return
    late = account.__class__.objects.get(pk=account.pk).delinquent_since
    rows = SubscriptionMirror.objects.filter(account=account, gone_at=None, plan_id=has.terms.key)
    reasons = {row.status for row in rows if row.status != "past_due" or (late and now < late + GRACE)}
    assert reasons & {"trialing", "active", "past_due"}, (has.terms.key, [row.status for row in rows])


def states_add_up(account):
    """I10: what the last states of all subscriptions bring each month is what the mirror says they bring."""
    latest = {}
    for state in SubscriptionState.objects.filter(account=account).order_by("effective_at", "observed_at"):
        latest[state.subscription_id] = state.mrr_micro
    mirrored = SubscriptionMirror.objects.filter(account=account).aggregate(total=Sum("mrr_micro"))["total"] or 0
    assert sum(latest.values()) == mirrored


def snapshots_are_numbered(account):
    """I1: one snapshot is the current one, because versions follow each other without a gap."""
    versions = list(account.snapshots.order_by("version").values_list("version", flat=True))
    assert versions == list(range(1, len(versions) + 1))


def more_than_one_plan_is_told(account):
    """I9: at most one live plan, or an open drift item."""
    live = SubscriptionMirror.objects.filter(account=account).live().count()
    told = DriftItem.objects.filter(account=account, kind="multiple_live", fixed_at=None).exists()
    assert (live > 1) == told


def mirror_is_stripe(sandbox, account):
    """I1: field by field. Of a customer who was replaced we keep the old invoices, which Stripe lists no longer."""
    theirs, ours = comparison.at_stripe(sandbox, account), comparison.here(account)
    for kind in ("subscriptions", "items"):
        assert ours[kind] == theirs[kind], (kind, ours[kind], theirs[kind])
    for kind in ("invoices", "refunds", "disputes"):
        kept = {key: ours[kind].get(key) for key in theirs[kind]}
        assert kept == theirs[kind], (kind, kept, theirs[kind])


def rows_of(account):
    """Everything a sync may write for an account: table and key → row."""
    tables = (SubscriptionMirror, SubscriptionState, InvoiceMirror, EntitlementSnapshot, StripeOutbox, DriftItem)
    found = {table: table.objects.filter(account=account) for table in tables}
    found[SubscriptionItemMirror] = SubscriptionItemMirror.objects.filter(subscription__account=account)
    return {(table.__name__, row[table._meta.pk.name]): row for table, rows in found.items() for row in rows.values()}


def second_look_writes_nothing(account, *, clock):
    """I2."""
    before = rows_of(account)
    assert sync.sync_customer(account.pk, clock=clock)
    after = rows_of(account)
    written = {key: (before.get(key), row) for key, row in after.items() if before.get(key) != row}
    assert not written, written


def paid_is_granted(account, *, now):
    """I5: the latest bill is paid and its period not over: never below the plan, except under a hold."""
    account.refresh_from_db()
    if account.hold_reason:
        assert entitlements.in_force(account, now=now).source not in PAID
        return
    has = entitlements.plan_for(account, now=now)
    for row in SubscriptionMirror.objects.filter(account=account).live().filter(status="active"):
        if row.current_period_end and row.current_period_end > now:
            assert has.rank >= row.plan.rank


def money_closes(sandbox, account):
    """I13: what was charged and not given back is what invoices were paid and not refunded; balances close."""
    customer = account.stripe_customer_id
    if customer is None:
        return
    charges = [one for one in sandbox.objects("charge") if one["customer"] == customer and one["paid"]]
    invoices = [one for one in sandbox.objects("invoice") if one["customer"] == customer]
    refunds = [one for one in sandbox.objects("refund") if one["charge"] in {charge["id"] for charge in charges}]
    taken, back = sum(one["amount_captured"] for one in charges), sum(one["amount"] for one in refunds)
    assert taken == sum(one["amount_paid"] for one in invoices)
    assert back == sum(one["amount_refunded"] for one in charges)
    for invoice in invoices:
        if invoice["status"] in ("paid", "open"):
            assert invoice["starting_balance"] + invoice["total"] == invoice["amount_due"] + invoice["ending_balance"]
