"""Discounts: a coupon redeemed for a subscription, by itself or by a promotion code, until it is used up."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.stripe_sandbox import coupons, events, ids, metered, periods, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.totals import Reduction


@dataclass(frozen=True)
class Basket:
    """What is bought: a whole period's amount in minor units, its currency, and who buys (if that is known)."""

    subtotal: int
    currency: str
    customer: Document | None


def describe(raw: list[Document], basket: Basket, held: Sequence[Document] = (), *, now: int) -> list[Document]:
    """Turn what a call names into discounts that are not kept yet; those already `held` may be named again.

    Raises  StripeError 400: no such coupon or code, used up, expired, in another currency, or not for this buyer.
    """
    return [_describe(each, f"discounts[{number}]", basket, held, now) for number, each in enumerate(raw)]


def _describe(each: Document, param: str, basket: Basket, held: Sequence[Document], now: int) -> Document:
    if "discount" in each:
        found = next((one for one in held if one["id"] == each["discount"]), None)
        if found is None:
            raise invalid(f"No such discount: '{each['discount']}'", f"{param}[discount]", "resource_missing")
        return found
    if "promotion_code" in each:
        code = store.get("promotion_code", each["promotion_code"], param=f"{param}[promotion_code]", status=400)
        return by_code(code, basket, f"{param}[promotion_code]", now=now)
    if "coupon" not in each:
        raise invalid("You must specify one of coupon, promotion_code or discount.", param)
    coupon = store.get("coupon", each["coupon"], param=f"{param}[coupon]", status=400)
    return _discount(coupon, None, basket, f"{param}[coupon]", now)


def by_code(code: Document, basket: Basket, param: str, *, now: int) -> Document:
    """Describe the discount that a promotion code gives.

    Raises  StripeError 400, with a sentence that a buyer may read.
    """
    least = code["restrictions"]["minimum_amount"]
    buyer, only_for = (basket.customer or {}).get("id"), code["customer"]
    if not is_active(code, now=now):
        raise invalid("This promotion code has expired.", param, "promotion_code_expired")
    if only_for and only_for != buyer:
        raise invalid("This promotion code is for another customer.", param, "promotion_code_not_for_customer")
    if least is not None and code["restrictions"]["minimum_amount_currency"] != basket.currency:
        raise invalid("This promotion code is for another currency.", param, "promotion_code_currency")
    if least is not None and basket.subtotal < least:
        raise invalid("Your order is below the minimum of this promotion code.", param, "promotion_code_minimum")
    if code["restrictions"]["first_time_transaction"] and _has_paid(buyer):
        raise invalid("This promotion code is for first orders only.", param, "promotion_code_first_time")
    return _discount(store.read("coupon", code["promotion"]["coupon"]), code["id"], basket, param, now)


def find_code(word: str) -> Document | None:
    """Find the code that is active under a word; capitals do not matter."""
    rows = store.select("promotion_code", body__active=True, body__code__iexact=word)
    return next(iter(store.documents(rows[:1])), None)


def is_active(code: Document, *, now: int) -> bool:
    """Say whether a code can be redeemed at this moment: so long as its coupon can."""
    coupon, until, most = store.read("coupon", code["promotion"]["coupon"]), code["expires_at"], code["max_redemptions"]
    is_over = (until is not None and until <= now) or (most is not None and code["times_redeemed"] >= most)
    return bool(code["active"] and not is_over and coupons.is_valid(coupon, now=now))


def _has_paid(customer: str | None) -> bool:
    return bool(customer and store.select("charge", customer=customer, body__status="succeeded").exists())


def _discount(coupon: Document, code: str | None, basket: Basket, param: str, now: int) -> Document:
    if not coupons.is_valid(coupon, now=now):
        raise invalid(f"Coupon expired: {coupon['id']}", param, "coupon_expired")
    if coupon["amount_off"] is not None and coupon["currency"] != basket.currency:
        raise invalid("This coupon is for another currency.", param, "coupon_currency")
    months = coupon["duration_in_months"]
    return {
        "id": ids.new("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": (basket.customer or {}).get("id"),
        "end": periods.step(now, "month", months) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": code,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": now,
        "subscription": None,
        "subscription_item": None,
    }


def held_by(subscription: Document) -> list[Document]:
    """List the discounts of a subscription, kept or only described."""
    return list(subscription.get("_discounts") or [])


def reductions(subscription: Document, *, now: int, lasting: bool = False) -> list[Reduction]:
    """List what reduces an invoice of this moment; with `lasting` only what is not for one invoice alone."""
    found = []
    for each in held_by(subscription):
        coupon = store.read("coupon", each["source"]["coupon"])
        has_begun = each["end"] is None or now < each["end"]
        if has_begun and not (lasting and coupon["duration"] == "once"):
            found.append(Reduction(each["id"], coupon))
    return found


def given(subscription: Document, found: list[Document]) -> Document:
    """Give the subscription with these discounts."""
    named = [{**each, "customer": subscription["customer"], "subscription": subscription["id"]} for each in found]
    return {**subscription, "discounts": [each["id"] for each in named], "_discounts": named}


def keep(subscription: Document, *, before: Sequence[str] = ()) -> None:
    """Keep the discounts of a subscription that are new to it, and count them as redeemed."""
    for each in held_by(subscription):
        if each["id"] in before:
            continue
        store.insert(each)
        events.emit("customer.discount.created", each)
        _count(store.read("coupon", each["source"]["coupon"]), "coupon.updated")
        if each["promotion_code"]:
            _count(store.read("promotion_code", each["promotion_code"]), "promotion_code.updated")


def _count(redeemed: Document, kind: str) -> None:
    count = redeemed["times_redeemed"] + 1
    is_full = redeemed["max_redemptions"] is not None and count >= redeemed["max_redemptions"]
    flag = "valid" if redeemed["object"] == "coupon" else "active"
    events.update(kind, redeemed, {**redeemed, "times_redeemed": count, flag: redeemed[flag] and not is_full})


def drop(subscription: Document, *, kept: Sequence[str]) -> None:
    """Tell of the discounts that a subscription no longer has."""
    for each in held_by(subscription):
        if each["id"] not in kept:
            events.emit("customer.discount.deleted", each)


def renewed(subscription: Document, raw: list[Document], basket: Basket, *, now: int) -> Document:
    """Redeem what a call names and is new, let go of what it does not name; give the subscription with the rest."""
    after = given(subscription, describe(raw, basket, held_by(subscription), now=now))
    keep(after, before=subscription["discounts"])
    drop(subscription, kept=after["discounts"])
    return after


def spend(subscription: Document, invoice: Document, *, now: int) -> Document:
    """Give the subscription without what this invoice used up, and without what is over."""
    used = {each["discount"] for each in invoice["total_discount_amounts"] if each["amount"]}
    lasting = {each.discount for each in reductions(subscription, now=now, lasting=True)}
    left = [
        each
        for each in held_by(subscription)
        if each["id"] in lasting or not (each["id"] in used or (each["end"] and each["end"] <= now))
    ]
    if len(left) == len(held_by(subscription)):
        return subscription
    drop(subscription, kept=[each["id"] for each in left])
    return given(subscription, left)


def net(data: list[Document], subscription: Document, *, now: int) -> dict[str, int]:
    """Say what a whole period of each item costs after the discounts that last, by the item's id."""
    amounts = [metered.fixed_amount(item["price"], item.get("quantity")) for item in data]
    for each in reductions(subscription, now=now, lasting=True):
        open_to = [
            amount if coupons.applies_to(each.coupon, item["price"]["product"]) else 0
            for amount, item in zip(amounts, data, strict=True)
        ]
        taken = coupons.shares(each.coupon, open_to)
        amounts = [amount - share for amount, share in zip(amounts, taken, strict=True)]
    return {item["id"]: amount for item, amount in zip(data, amounts, strict=True)}
