"""Tax: one rate for everybody, set by SANDBOX_TAX_PERCENT, added to prices; and where a buyer must be known to live."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from apps.stripe_sandbox import environment
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import StripeError, invalid

RATE_ID = "txr_sandbox0000000000000000"
EXEMPT = {"exempt": "customer_exempt", "reverse": "reverse_charge"}


@dataclass(frozen=True)
class Rate:
    """The tax of one buyer: how many per cent, and Stripe's word for why."""

    percent: Decimal
    reason: str

    def on(self, taxable: int) -> int:
        """Give the tax on an amount: half a cent is rounded away from zero."""
        return int((taxable * self.percent / 100).quantize(Decimal(1), ROUND_HALF_UP))

    def as_tax(self, amount: int, taxable: int) -> Document:
        """Write it as an invoice and its lines have it."""
        return {
            "amount": amount,
            "tax_behavior": "exclusive",
            "tax_rate_details": {"tax_rate": RATE_ID},
            "taxability_reason": self.reason,
            "taxable_amount": taxable,
            "type": "tax_rate_details",
        }


def rate_for(customer: Document) -> Rate | None:
    """Give the rate of a buyer; nothing while nobody knows where they live."""
    if not has_location(customer):
        return None
    exempt = EXEMPT.get(customer["tax_exempt"])
    if exempt:
        return Rate(Decimal(0), exempt)
    percent = environment.read().tax_percent
    return Rate(percent, "standard_rated" if percent else "not_collecting")


def has_location(customer: Document) -> bool:
    """Say whether an address is known well enough to compute tax."""
    return bool((customer["address"] or {}).get("country"))


def settings(*, is_enabled: bool, customer: Document) -> Document:
    """Write `automatic_tax` as an invoice carries it."""
    status = "complete" if has_location(customer) else "requires_location_inputs"
    return {
        "disabled_reason": None,
        "enabled": is_enabled,
        "liability": {"type": "self"} if is_enabled else None,
        "provider": "stripe" if is_enabled else None,
        "status": status if is_enabled else None,
    }


def unknown_location() -> StripeError:
    """Build the refusal of an invoice whose buyer lives nobody knows where."""
    return invalid(
        "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate "
        "tax.",
        "automatic_tax",
        "customer_tax_location_invalid",
    )
