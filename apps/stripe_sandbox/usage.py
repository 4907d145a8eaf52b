"""Lines billed by usage: written when a period is over, and brought up to date until their invoice is final."""

from decimal import Decimal

from apps.stripe_sandbox import invoicing, items, metered, store
from apps.stripe_sandbox.documents import Document


def lines(subscription: Document, start: int, end: int) -> list[Document]:
    """Write what a subscription's metered items cost from `start` up to `end`; nothing during a trial."""
    if subscription["status"] == "trialing":
        return []
    data = subscription["items"]["data"]
    return [_line(item, subscription["customer"], start, end) for item in data if metered.is_metered(item["price"])]


def lines_so_far(subscription: Document, now: int) -> list[Document]:
    """Write what the metered items cost in the current period until this moment."""
    start, end = items.period_of(subscription)
    return lines(subscription, start, min(now, end))


def refresh(invoice: Document) -> Document:
    """Bring a draft's usage up to date: what is reported late, but before it is final, is billed with it."""
    over = [line for line in invoice["lines"]["data"] if line["period"]["end"] <= invoice["created"]]
    written = {line["id"]: _again(line, invoice["customer"]) for line in over}
    found = [written.get(line["id"]) or line for line in invoice["lines"]["data"]]
    return invoice if found == invoice["lines"]["data"] else invoicing.relaid(invoice, found)


def _again(line: Document, customer: str) -> Document:
    price = store.read("price", line["pricing"]["price_details"]["price"])
    if not metered.is_metered(price) or line["parent"]["type"] != "subscription_item_details":
        return line
    usage = metered.usage_of(price, customer, line["period"]["start"], line["period"]["end"])
    return {**line, **_counted(price, usage)}


def _line(item: Document, customer: str, start: int, end: int) -> Document:
    usage = metered.usage_of(item["price"], customer, start, end)
    plain = invoicing.line({**item, "quantity": 0}, 0, "", (start, end), is_proration=False)
    return {**plain, **_counted(item["price"], usage)}


def _counted(price: Document, usage: Decimal) -> Document:
    amount, plain = metered.cost_of(price, usage), f"{usage.normalize():f}"
    rate = invoicing.format_rate(price["unit_amount_decimal"], price["currency"])
    return {
        "amount": amount,
        "description": f"{plain} × {invoicing.name_of(price)} (at {rate} / {price['recurring']['interval']})",
        "quantity": int(usage),
        "quantity_decimal": plain,
        "subtotal": amount,
    }
