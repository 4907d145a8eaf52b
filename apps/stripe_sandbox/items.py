"""The items of a subscription: which price, how many, from when to when."""

from dataclasses import dataclass, field

from apps.stripe_sandbox import ids, metered, store
from apps.stripe_sandbox.discounts import Basket
from apps.stripe_sandbox.documents import Document, list_of, public
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.parameters import merge_metadata


@dataclass(frozen=True)
class Wanted:
    """One item as a caller asks for it; `key` names an item that is already there."""

    price: Document | None = None
    quantity: int | None = None
    key: str | None = None
    is_deleted: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


def read_wanted(raw: list[Document], customer: Document | None, *, path: str = "items") -> list[Wanted]:
    """Read the items of a call, and refuse prices that cannot be subscribed to.

    Raises  StripeError 400: no such price, archived, one-time, or in another currency than the customer's.
    """
    wanted = []
    for number, item in enumerate(raw):
        param = f"{path}[{number}][price]"
        price = find_price(item["price"], customer, param) if "price" in item else None
        wanted.append(
            Wanted(price, item.get("quantity"), item.get("id"), item.get("deleted", False), item.get("metadata") or {})
        )
    return wanted


def basket(wanted: list[Wanted], customer: Document | None) -> Basket:
    """Say what these items cost for a whole period, before discounts."""
    prices = [(each.price, each.quantity) for each in wanted if each.price]
    subtotal = sum(metered.fixed_amount(price, many) for price, many in prices)
    return Basket(subtotal, prices[0][0]["currency"] if prices else "", customer)


def find_price(key: str, customer: Document | None, param: str) -> Document:
    """Give a recurring price that this customer may subscribe to."""
    price = store.get("price", key, param=param, status=400)
    if not price["active"] and not price.get("_is_inline"):
        raise invalid("The price specified is inactive. This field only accepts active prices.", param)
    if not price["recurring"]:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param,
        )
    used = customer and customer["currency"]
    if used and used != price["currency"]:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription, "
            f"subscription schedule, discount, quote, or invoice item with currency {used}.",
            param,
        )
    return price


def build(wanted: Wanted, subscription: str, period: tuple[int, int], *, now: int) -> Document:
    """Make a new item."""
    if wanted.price is None:
        raise invalid("Missing required param: items[0][price].", "items[0][price]", "parameter_missing")
    is_metered = metered.is_metered(wanted.price)
    if is_metered and wanted.quantity is not None:
        raise invalid("You cannot specify a quantity for a metered price.", "items[0][quantity]")
    counted = {} if is_metered else {"quantity": 1 if wanted.quantity is None else wanted.quantity}
    return {
        "id": ids.new("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": wanted.metadata,
        "price": public(wanted.price),
        "subscription": subscription,
        "tax_rates": [],
        **counted,
    }


def changed(subscription: Document, wanted: list[Wanted], *, now: int) -> list[Document]:
    """Give the items as they would be after a change; items that are not named stay.

    Raises  StripeError 400: an item that is not there, or nothing left.
    """
    current = {item["id"]: item for item in subscription["items"]["data"]}
    period = period_of(subscription)
    for number, each in enumerate(wanted):
        if each.key is None:
            new = build(each, subscription["id"], period, now=now)
            current[new["id"]] = new
        elif each.key not in current:
            raise invalid(f"No such subscription item: '{each.key}'", f"items[{number}][id]", "resource_missing")
        elif each.is_deleted:
            del current[each.key]
        else:
            current[each.key] = _revised(current[each.key], each)
    if not current:
        raise invalid("A subscription must have at least one active item.", "items")
    require_one_rhythm(list(current.values()))
    return list(current.values())


def _revised(item: Document, wanted: Wanted) -> Document:
    revised = {**item, "metadata": merge_metadata(item["metadata"], wanted.metadata)}
    if wanted.price:
        revised["price"] = public(wanted.price)
    if wanted.quantity is not None:
        revised["quantity"] = wanted.quantity
    return revised


def require_one_rhythm(data: list[Document]) -> None:
    """Refuse items that are billed at different intervals: the sandbox bills a subscription in one rhythm."""
    if len({rhythm(item["price"]) for item in data}) > 1:
        raise invalid("All prices on a subscription must have the same `recurring.interval`.", "items")
    if len({item["price"]["currency"] for item in data}) > 1:
        raise invalid("All prices on a subscription must have the same `currency`.", "items")


def rhythm(price: Document) -> tuple[str, int]:
    """Give how often a price is billed: the interval, and how many of them."""
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def period_of(subscription: Document) -> tuple[int, int]:
    """Give the current period of a subscription: of its first item, since all share one rhythm."""
    first = subscription["items"]["data"][0]
    return first["current_period_start"], first["current_period_end"]


def counted(item: Document) -> Document:
    """Give the quantity of an item as one more field; metered items have none."""
    return {"quantity": item["quantity"]} if "quantity" in item else {}


def whole(subscription: Document, item: Document) -> int:
    """Say what was debited for a whole period of an item, after discounts."""
    gross = metered.fixed_amount(item["price"], item.get("quantity"))
    return int(subscription.get("_debited", {}).get(item["id"], gross))


def with_debits(subscription: Document, invoice: Document) -> Document:
    """Remember what an invoice debits for the whole periods of items: a later credit starts from that."""
    debited = dict(subscription.get("_debited", {}))
    for line in invoice["lines"]["data"]:
        details = line["parent"]["subscription_item_details"]
        if details and not details["proration"]:
            off = sum(each["amount"] for each in line["discount_amounts"])
            debited[details["subscription_item"]] = line["amount"] - off
    return {**subscription, "_debited": debited}


def in_period(data: list[Document], period: tuple[int, int]) -> list[Document]:
    """Move items to another period."""
    return [{**item, "current_period_start": period[0], "current_period_end": period[1]} for item in data]


def replaced(subscription: Document, data: list[Document]) -> Document:
    """Give the subscription with other items."""
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    return {**subscription, "items": list_of(data, url)}
