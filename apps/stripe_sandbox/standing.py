"""How payments move a subscription: incomplete to active, active to past due, and back; and a change that waits."""

from apps.stripe_sandbox import events, items, store
from apps.stripe_sandbox.documents import Document

ENDED = ("canceled", "incomplete_expired")


def subscription_of(invoice: Document) -> Document | None:
    """Find the subscription that an invoice belongs to."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return store.find("subscription", details["subscription"]) if details else None


def after_payment(invoice: Document) -> None:
    """Let a paid invoice make its subscription active, or bring a pending change into force."""
    subscription = subscription_of(invoice)
    if subscription is None or subscription["status"] in ENDED:
        return
    if subscription["pending_update"] and subscription.get("_pending_invoice") == invoice["id"]:
        _apply_pending(subscription)
    elif subscription["status"] == "paused" and subscription.get("_resumes_with") == invoice["id"]:
        resume(subscription)
    elif subscription["status"] in ("incomplete", "past_due", "unpaid") and not _has_other_debt(subscription, invoice):
        _move(subscription, "active")
    customer = store.read("customer", invoice["customer"])
    if customer["delinquent"]:
        events.update("customer.updated", customer, {**customer, "delinquent": False})


def after_failure(invoice: Document) -> None:
    """Let a failed invoice make an active subscription past due; an incomplete one stays so."""
    subscription = subscription_of(invoice)
    if subscription is None or subscription.get("_pending_invoice") == invoice["id"]:
        return
    if subscription["status"] in ("active", "trialing"):
        _move(subscription, "past_due")
    customer = store.read("customer", invoice["customer"])
    if not customer["delinquent"] and invoice["billing_reason"] != "subscription_create":
        events.update("customer.updated", customer, {**customer, "delinquent": True})


def after_void(invoice: Document) -> None:
    """Let a pending change go with the invoice that would have paid for it."""
    subscription = subscription_of(invoice)
    if subscription and subscription["pending_update"] and subscription.get("_pending_invoice") == invoice["id"]:
        drop_pending(subscription)


def drop_pending(subscription: Document) -> Document:
    """Forget a pending change: the subscription stays as it is."""
    after = {**subscription, "pending_update": None, "_pending_invoice": None}
    events.update("customer.subscription.updated", subscription, after)
    events.emit("customer.subscription.pending_update_expired", after)
    return after


def resume(subscription: Document) -> Document:
    """Make a paused subscription active."""
    after = {**subscription, "status": "active", "status_details": None, "_resumes_with": None}
    events.update("customer.subscription.updated", subscription, after)
    events.emit("customer.subscription.resumed", after)
    return after


def _move(subscription: Document, status: str) -> Document:
    return events.update("customer.subscription.updated", subscription, {**subscription, "status": status})


def _has_other_debt(subscription: Document, invoice: Document) -> bool:
    rows = store.documents(store.select("invoice", customer=subscription["customer"], body__status="open"))
    return any(each["id"] != invoice["id"] and each["attempted"] and _belongs(each, subscription) for each in rows)


def _belongs(invoice: Document, subscription: Document) -> bool:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    return bool(details.get("subscription") == subscription["id"])


def _apply_pending(subscription: Document) -> None:
    after = items.replaced(subscription, subscription["pending_update"]["subscription_items"])
    anchor = subscription["pending_update"]["billing_cycle_anchor"] or subscription["billing_cycle_anchor"]
    after |= {"pending_update": None, "_pending_invoice": None, "billing_cycle_anchor": anchor}
    after["_debited"] = subscription.get("_pending_debited") or subscription.get("_debited", {})
    events.update("customer.subscription.updated", subscription, after)
    events.emit("customer.subscription.pending_update_applied", after)
