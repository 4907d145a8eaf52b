"""What a customer may do alone: switch plan, cancel and take it back, replace the card."""

from dataclasses import dataclass

from apps.stripe_sandbox import (
    addresses,
    endings,
    events,
    intents,
    invoicing,
    items,
    metered,
    payment_methods,
    phases,
    plan_changes,
    schedules,
    store,
)
from apps.stripe_sandbox.cards import Verdict
from apps.stripe_sandbox.checkout import Payment
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.items import Wanted
from apps.stripe_sandbox.plan_changes import Terms

IDLE_S = 300


@dataclass(frozen=True)
class Offer:
    """A price that the subscription may be switched to."""

    price: Document
    name: str


def find_session(word: str, *, real_now: int) -> Document | None:
    """Find the session behind an address and keep it open; nothing when it was idle for five minutes."""
    found = store.documents(store.select("billing_portal.session", body___word=word)[:1])
    if not found or real_now > found[0]["_seen_at"] + IDLE_S:
        return None
    return store.save({**found[0], "_seen_at": real_now})


def live_subscription(customer: Document) -> Document | None:
    """Find the subscription that a customer manages: the newest that has not ended and is not for usage alone."""
    found = store.documents(store.select("subscription", customer=customer["id"]))
    live = [each for each in found if each["status"] not in ("canceled", "incomplete", "incomplete_expired")]
    plans = [each for each in live if metered.licensed(each["items"]["data"])]
    return next(iter(plans or live), None)


def offers(configuration: Document, subscription: Document) -> list[Offer]:
    """List what the plan may be switched to: configured prices that are active, in the same currency."""
    allowed = [key for each in configuration["features"]["subscription_update"]["products"] for key in each["prices"]]
    current = subscription["items"]["data"][0]["price"]
    found = [store.read("price", key) for key in allowed]
    return [
        Offer(price, invoicing.name_of(price))
        for price in found
        if price["active"] and price["id"] != current["id"] and price["currency"] == current["currency"]
    ]


def waits_for_period_end(configuration: Document, old: Document, new: Document) -> bool:
    """Say whether a switch takes force only at the period's end, as the configuration's conditions have it."""
    conditions = configuration["features"]["subscription_update"]["schedule_at_period_end"]["conditions"]
    kinds = {each["type"] for each in conditions}
    lengths = {"day": 1, "week": 7, "month": 31, "year": 366}
    shorter = lengths[new["recurring"]["interval"]] < lengths[old["recurring"]["interval"]]
    cheaper = new["unit_amount"] < old["unit_amount"]
    return (cheaper and "decreasing_item_amount" in kinds) or (shorter and "shortening_interval" in kinds)


def terms_of(configuration: Document, *, now: int) -> Terms:
    """Give how a switch is charged: with the saved card, and if that fails nothing changes."""
    return Terms(
        now,
        proration_behavior=configuration["features"]["subscription_update"]["proration_behavior"],
        payment_behavior="error_if_incomplete",
        is_off_session=True,
    )


def preview_switch(subscription: Document, configuration: Document, price: Document, *, now: int) -> Document | None:
    """Describe the invoice that a switch would cause today; nothing when it causes none."""
    wanted = [Wanted(price, key=subscription["items"]["data"][0]["id"])]
    terms = terms_of(configuration, now=now)
    change = plan_changes.weigh(subscription, wanted, terms, now=now)
    if not change.lines or not (change.resets_period or terms.proration_behavior == "always_invoice"):
        return None
    customer, pending = store.read("customer", subscription["customer"]), subscription["_pending_lines"]
    return invoicing.build(customer, change.after, [*pending, *change.lines], "subscription_update", now=now)


def switch(subscription: Document, configuration: Document, price: Document, *, now: int) -> Document:
    """Switch to another price, now or at the period's end; what was planned before is dropped."""
    subscription = forget_plan(subscription, now=now)
    item = subscription["items"]["data"][0]
    if waits_for_period_end(configuration, item["price"], price):
        return _plan(subscription, price, now=now)
    wanted = [Wanted(price, key=item["id"])]
    return plan_changes.change_items(subscription, subscription, wanted, terms_of(configuration, now=now), now=now)


def _plan(subscription: Document, price: Document, *, now: int) -> Document:
    schedule = schedules.open_for(subscription, now=now)
    item, present = subscription["items"]["data"][0], schedule["phases"][0]
    others = [{"price": each["price"], **items.counted(each)} for each in present["items"][1:]]
    first = {name: present[name] for name in ("discounts", "end_date", "items", "start_date")}
    later = {"items": [{"price": price["id"], "quantity": item["quantity"]}, *others]}
    phases.rewrite(schedule, [first, later | {"discounts": present["discounts"]}], "none", now=now)
    return store.read("subscription", subscription["id"])


def planned(subscription: Document) -> Offer | None:
    """Find the price that a schedule brings at the period's end."""
    schedule = schedules.find_for(subscription)
    coming = schedule["phases"][-1]["items"][0]["price"] if schedule else None
    price = store.find("price", coming)
    current = subscription["items"]["data"][0]["price"]["id"]
    return Offer(price, invoicing.name_of(price)) if price and price["id"] != current else None


def forget_plan(subscription: Document, *, now: int) -> Document:
    """Let the plan stay as it is, whatever a schedule had in mind."""
    schedule = schedules.find_for(subscription)
    if schedule is None:
        return subscription
    schedules.release(schedule, now=now)
    return store.read("subscription", subscription["id"])


def cancel(subscription: Document, configuration: Document, why: Document, *, now: int) -> Document:
    """Cancel as the configuration says: at the period's end, or at once; a planned switch is dropped.

    why  `feedback` and `comment`, as the customer gave them.
    """
    subscription = forget_plan(subscription, now=now)
    told = {**subscription["cancellation_details"], **why}
    subscription = events.update(
        "customer.subscription.updated", subscription, {**subscription, "cancellation_details": told}
    )
    if configuration["features"]["subscription_cancel"]["mode"] == "immediately":
        return endings.cancel(subscription, "cancellation_requested", now=now)
    after = endings.schedule_end(subscription, at_period_end=True, now=now)
    return events.update("customer.subscription.updated", subscription, after)


def undo(subscription: Document, *, now: int) -> Document:
    """Take a cancellation back."""
    subscription = forget_plan(subscription, now=now)
    after = endings.schedule_end(subscription, at_period_end=False, now=now)
    return events.update("customer.subscription.updated", subscription, after)


@dataclass(frozen=True)
class Replacement:
    """What became of another card: its decline, or the 3-D Secure page to go to first, or neither."""

    message: str = ""
    redirect_to: str = ""


def replace_card(session: Document, customer: Document, payment: Payment, *, now: int) -> Replacement:
    """Save another card and let it pay from now on; a declined one changes nothing but its setup intent."""
    method = store.insert(payment.method(now=now))
    intent = store.save({**intents.open_setup_intent(customer, now=now), "_portal": session["_word"]})
    return _confirm_card(intent, customer, method, authenticated=False)


def resume_card(intent: Document) -> Replacement:
    """Go on after 3-D Secure was completed."""
    method = store.read("payment_method", intent["payment_method"])
    return _confirm_card(intent, store.read("customer", intent["customer"]), method, authenticated=True)


def way_onward(word: str) -> str:
    """Where a flow leads when it is done; nothing where it stays in the portal."""
    session = store.documents(store.select("billing_portal.session", body___word=word)[:1])[0]
    after = (session["flow"] or {}).get("after_completion") or {}
    return str(after["redirect"]["return_url"]) if after.get("type") == "redirect" else ""


def _confirm_card(intent: Document, customer: Document, method: Document, *, authenticated: bool) -> Replacement:
    answer = intents.confirm_setup(intent, method, authenticated=authenticated).answer
    if answer.decline:
        return Replacement(message=answer.decline.message)
    if answer.verdict is Verdict.REQUIRES_ACTION:
        return Replacement(redirect_to=addresses.page(f"/3ds/{intent['id']}"))
    attached = payment_methods.attach(store.read("payment_method", method["id"]), customer)
    make_default(store.read("customer", customer["id"]), attached)
    return Replacement()


def make_default(customer: Document, method: Document) -> None:
    """Let a card pay for the customer and for their subscription."""
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    events.update("customer.updated", customer, {**customer, "invoice_settings": settings})
    subscription = live_subscription(customer)
    if subscription:
        after = {**subscription, "default_payment_method": method["id"]}
        events.update("customer.subscription.updated", subscription, after)
