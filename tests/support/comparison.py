"""Our mirror beside what Stripe has, field by field, read from Stripe's own JSON and not by the product's code."""

from datetime import UTC, datetime

from apps.billing.models import (
    DisputeMirror,
    InvoiceMirror,
    RefundMirror,
    SubscriptionItemMirror,
    SubscriptionMirror,
)


def moment(seconds):
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def at_stripe(sandbox, account):
    """Everything Stripe has of an account's customer that we mirror, by kind and id."""
    customer = account.stripe_customer_id
    found = {"subscriptions": {}, "items": {}, "invoices": {}, "refunds": {}, "disputes": {}}
    if customer is None or sandbox.call("GET", f"/v1/customers/{customer}").json().get("deleted"):
        return found
    for one in all_of(sandbox, f"/v1/subscriptions?customer={customer}&status=all"):
        found["subscriptions"][one["id"]] = _subscription(one)
        found["items"] |= {item["id"]: _item(one, item) for item in one["items"]["data"]}
    for one in all_of(sandbox, f"/v1/invoices?customer={customer}"):
        found["invoices"][one["id"]] = _invoice(one)
    charges = [one["id"] for one in all_of(sandbox, f"/v1/charges?customer={customer}")]
    for kind in ("refunds", "disputes"):
        rows = [row for charge in charges for row in all_of(sandbox, f"/v1/{kind}?charge={charge}")]
        found[kind] = {one["id"]: (one["amount"], one["currency"], one["status"]) for one in rows}
    return found


def here(account):
    """The same of our mirror. What Stripe lists no longer is left out, as it is there."""
    listed = SubscriptionMirror.objects.filter(account=account, gone_at=None)
    items = SubscriptionItemMirror.objects.filter(subscription__in=listed)
    return {
        "subscriptions": {row.pk: _mirrored(row) for row in listed},
        "items": {
            row.pk: (row.subscription_id, row.price_id, row.quantity, row.period_start, row.period_end) for row in items
        },
        "invoices": {row.pk: _mirrored_invoice(row) for row in InvoiceMirror.objects.filter(account=account)},
        "refunds": _money(RefundMirror, account),
        "disputes": _money(DisputeMirror, account),
    }


def all_of(sandbox, path):
    """Walk a list to its end."""
    joint, after = "&" if "?" in path else "?", ""
    while True:
        page = sandbox.call("GET", f"{path}{joint}limit=100{after}").json()
        yield from page["data"]
        if not page["has_more"]:
            return
        after = f"&starting_after={page['data'][-1]['id']}"


def _subscription(raw):
    ends = [item["current_period_end"] for item in raw["items"]["data"]]
    return {
        "status": raw["status"],
        "currency": raw["currency"],
        "cancel_at_period_end": raw["cancel_at_period_end"],
        "cancel_at": moment(raw["cancel_at"]),
        "canceled_at": moment(raw["canceled_at"]),
        "ended_at": moment(raw["ended_at"]),
        "cancellation_reason": (raw["cancellation_details"] or {}).get("reason") or "",
        "trial_end": moment(raw["trial_end"]),
        "is_collection_paused": raw["pause_collection"] is not None,
        "has_pending_update": raw["pending_update"] is not None,
        "has_schedule": raw["schedule"] is not None,
        "current_period_end": moment(min(ends)),
        "started_at": moment(raw["start_date"]),
    }


def _mirrored(row):
    return {name: getattr(row, name) for name in _FIELDS}


_FIELDS = (
    "status", "currency", "cancel_at_period_end", "cancel_at", "canceled_at", "ended_at", "cancellation_reason",
    "trial_end", "is_collection_paused", "has_pending_update", "has_schedule", "current_period_end", "started_at",
)  # fmt: skip


def _item(subscription, raw):
    period = moment(raw["current_period_start"]), moment(raw["current_period_end"])
    return (subscription["id"], raw["price"]["id"], raw["quantity"], *period)


def _invoice(raw):
    return {
        "status": raw["status"],
        "number": raw["number"] or "",
        "billing_reason": raw["billing_reason"] or "",
        "currency": raw["currency"],
        "total_minor": raw["total"],
        "amount_due_minor": raw["amount_due"],
        "amount_paid_minor": raw["amount_paid"],
        "attempt_count": raw["attempt_count"],
        "created": moment(raw["created"]),
        "paid_at": moment(raw["status_transitions"]["paid_at"]),
    }


def _mirrored_invoice(row):
    names = (
        "status", "number", "billing_reason", "currency", "total_minor", "amount_due_minor", "amount_paid_minor",
        "attempt_count", "created", "paid_at",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def _money(table, account):
    rows = table.objects.filter(account=account)
    return {row.pk: (row.amount_minor, row.currency, row.status) for row in rows}
