"""The phases of a schedule: read from a call, checked against each other, and brought into force at their boundary."""

from apps.stripe_sandbox import discounts, endings, events, items, metered, periods, plan_changes, schedules, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.items import Wanted
from apps.stripe_sandbox.parameters import merge_metadata
from apps.stripe_sandbox.plan_changes import Terms

NO_DISCOUNT = {"coupon": None, "discount": None, "promotion_code": None}


def rewrite(schedule: Document, given: list[Document], proration_behavior: str, *, now: int) -> Document:
    """Give a schedule other phases; what changes in the current one takes force at once.

    Raises  StripeError 400: phases with gaps, without the current one, or that end before they begin.
    """
    subscription = store.read("subscription", schedule["subscription"])
    customer = store.read("customer", subscription["customer"])
    written = _written(schedule, given, customer, now)
    begun = schedule["current_phase"]["start_date"]
    running = [phase for phase in written if phase["start_date"] <= now < phase["end_date"]]
    if not running or not any(phase["start_date"] == begun for phase in written):
        raise invalid(
            "You must include the current phase of the schedule, with the start date it has: "
            f"`phases[0][start_date]` should be {begun}.",
            "phases[0][start_date]",
        )
    current = {name: running[0][name] for name in ("end_date", "start_date")}
    after = {**schedule, "phases": written, "current_phase": current}
    events.update("subscription_schedule.updated", schedule, after)
    _enforce(subscription, running[0], Terms(now, proration_behavior=proration_behavior, is_off_session=True), now)
    return after


def mark_end(schedule: Document, *, now: int) -> None:
    """Show on the subscription whether its schedule ends it, and when."""
    subscription = store.read("subscription", schedule["subscription"])
    ends = schedule["end_behavior"] == "cancel"
    cancel_at = schedule["phases"][-1]["end_date"] if ends else None
    if subscription["cancel_at"] == cancel_at:
        return
    asked = (subscription["canceled_at"] or now) if ends else None
    after = {**subscription, "cancel_at": cancel_at, "cancel_at_period_end": False, "canceled_at": asked}
    events.update("customer.subscription.updated", subscription, after)


def _written(schedule: Document, given: list[Document], customer: Document, now: int) -> list[Document]:
    currency, written = schedule["phases"][0]["currency"], []
    at = schedule["phases"][0]["start_date"]
    for number, raw in enumerate(given):
        wanted = items.read_wanted(raw["items"], customer, path=f"phases[{number}][items]")
        start = now if raw.get("start_date") == "now" else raw.get("start_date", at)
        if number and start != at:
            message = "Phases must follow one another without gaps: each begins when the one before it ends."
            raise invalid(message, f"phases[{number}][start_date]")
        at = _end_of(raw, start, wanted, number, now)
        more: Document = {name: raw[name] for name in ("description", "metadata", "proration_behavior") if name in raw}
        more["discounts"] = [{**NO_DISCOUNT, **each} for each in raw.get("discounts") or []]
        plain = [
            {"price": each["price"], "metadata": each.get("metadata") or {}, **_quantity(each, item)}
            for each, item in zip(raw["items"], wanted, strict=True)
        ]
        written.append(schedules.phase(plain, (start, at), currency, **more))
    return written


def _quantity(raw: Document, item: Wanted) -> Document:
    """Give how many of a price a phase has: one when nobody said, and none where usage is counted."""
    if item.price and metered.is_metered(item.price):
        return {}
    return {"quantity": raw.get("quantity", 1)}


def _end_of(raw: Document, start: int, wanted: list[Wanted], number: int, now: int) -> int:
    """Say when a phase ends; one that does not say lasts for one interval of its first price."""
    if "end_date" in raw and "duration" in raw:
        raise invalid(
            "You may only specify one of these parameters: end_date, duration.", f"phases[{number}][end_date]"
        )
    if "end_date" in raw:
        end = now if raw["end_date"] == "now" else int(raw["end_date"])
    elif "duration" in raw:
        length = raw["duration"]
        end = periods.step(start, length["interval"], length.get("interval_count", 1))
    else:
        price = wanted[0].price
        end = periods.step(start, *items.rhythm(price)) if price else start
    if end <= start:
        raise invalid("The end date of a phase must be after its start date.", f"phases[{number}][end_date]")
    return end


def begin_next(schedule: Document, now: int) -> None:
    """End the current phase: begin the next one, or do what is set for the end."""
    following = [phase for phase in schedule["phases"] if phase["start_date"] >= now]
    subscription = store.read("subscription", schedule["subscription"])
    if following:
        phase = following[0]
        current = {name: phase[name] for name in ("end_date", "start_date")}
        events.update("subscription_schedule.updated", schedule, {**schedule, "current_phase": current})
        terms = Terms(now, proration_behavior=phase["proration_behavior"], is_off_session=True)
        _enforce(subscription, phase, terms, now)
    elif schedule["end_behavior"] == "cancel":
        schedules.complete(schedule, now=now)
        endings.cancel(subscription, "cancellation_requested", now=now)
    else:
        schedules.release(schedule, now=now)


def at_renewal(subscription: Document, *, now: int) -> Document:
    """Give the subscription with the items that the phase of a period's end will bring."""
    schedule = schedules.find_for(subscription)
    coming = [each for each in schedule["phases"] if each["start_date"] == now] if schedule else []
    wanted = _wanted(subscription, coming[0]) if coming else []
    return items.replaced(subscription, items.changed(subscription, wanted, now=now)) if wanted else subscription


def _told(subscription: Document, phase: Document, now: int) -> Document:
    """Give a subscription the metadata of a phase, and its discounts and no others: one that names none has none."""
    raw = [{name: value for name, value in each.items() if value} for each in phase["discounts"]]
    basket = items.basket(
        [Wanted(item["price"], item.get("quantity")) for item in subscription["items"]["data"]],
        store.read("customer", subscription["customer"]),
    )
    after = discounts.renewed(subscription, raw, basket, now=now)
    after = {**after, "metadata": merge_metadata(subscription["metadata"], phase["metadata"])}
    return events.update("customer.subscription.updated", subscription, after)


def _enforce(subscription: Document, phase: Document, terms: Terms, now: int) -> None:
    """Give a subscription what a phase has; at the end of a period the items wait for the renewal of that moment."""
    subscription = _told(subscription, phase, now)
    wanted = _wanted(subscription, phase)
    if not wanted:
        return
    if now >= items.period_of(subscription)[1]:
        store.save({**subscription, "_next_items": items.changed(subscription, wanted, now=now)})
    else:
        plan_changes.change_items(subscription, subscription, wanted, terms, now=now)


def _wanted(subscription: Document, phase: Document) -> list[Wanted]:
    """Say what must change for the items to be those of a phase: same prices stay, others take over an item."""
    left = list(subscription["items"]["data"])
    kept, new = [], []
    for each in phase["items"]:
        same = next((item for item in left if item["price"]["id"] == each["price"]), None)
        if same:
            left.remove(same)
            if same.get("quantity") != each.get("quantity"):
                kept.append(Wanted(quantity=each["quantity"], key=same["id"]))
        else:
            new.append(each)
    for each in new:
        key = left.pop(0)["id"] if left else None
        kept.append(Wanted(store.read("price", each["price"]), each.get("quantity"), key, metadata=each["metadata"]))
    return kept + [Wanted(key=item["id"], is_deleted=True) for item in left]
