"""The sums of an invoice: what discounts take off each line, the tax on what is left, and the totals. Pure."""

from dataclasses import dataclass

from apps.stripe_sandbox import coupons
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.taxes import Rate


@dataclass(frozen=True)
class Reduction:
    """A discount with the coupon it comes from."""

    discount: str
    coupon: Document


def lay_out(lines: list[Document], reductions: list[Reduction], rate: Rate | None) -> Document:
    """Give the lines with their discounts and tax, and all sums, as fields of an invoice.

    Discounts take turns: each reduces what the one before left. Prorations carry theirs inside, so none applies again.
    """
    taken = _taken(lines, reductions)
    laid = [_laid(line, amounts, rate) for line, amounts in zip(lines, taken, strict=True)]
    subtotal = sum(line["amount"] for line in laid)
    by_discount: list[Document] = [
        {"amount": sum(line[each.discount] for line in taken), "discount": each.discount} for each in reductions
    ]
    before_tax = subtotal - sum(each["amount"] for each in by_discount)
    tax = sum(each["amount"] for line in laid for each in line["taxes"])
    taxed = [rate.as_tax(tax, before_tax)] if rate and laid else []
    return {
        "lines": laid,
        "discounts": [each.discount for each in reductions],
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": before_tax + tax,
        "total_discount_amounts": by_discount,
        "total_excluding_tax": before_tax,
        "total_pretax_credit_amounts": [{**each, "type": "discount"} for each in by_discount],
        "total_taxes": taxed,
    }


def _taken(lines: list[Document], reductions: list[Reduction]) -> list[dict[str, int]]:
    left = [max(line["amount"], 0) if line["discountable"] else 0 for line in lines]
    taken: list[dict[str, int]] = [{} for _ in lines]
    for each in reductions:
        products = [str(line["pricing"]["price_details"]["product"]) for line in lines]
        open_to = [
            amount if coupons.applies_to(each.coupon, product) else 0
            for amount, product in zip(left, products, strict=True)
        ]
        for number, share in enumerate(coupons.shares(each.coupon, open_to)):
            taken[number][each.discount] = share
            left[number] -= share
    return taken


def _laid(line: Document, taken: dict[str, int], rate: Rate | None) -> Document:
    amounts = [{"amount": amount, "discount": key} for key, amount in taken.items() if line["discountable"]]
    taxable = line["amount"] - sum(taken.values())
    return {
        **line,
        "discount_amounts": amounts,
        "pretax_credit_amounts": [{**each, "type": "discount"} for each in amounts],
        "taxes": [rate.as_tax(rate.on(taxable), taxable)] if rate else [],
    }
