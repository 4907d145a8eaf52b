"""Who pays, and with what."""

from dataclasses import dataclass

from apps.billing.stripe_facts.raw import Raw, id_of


@dataclass(frozen=True)
class Card:
    """What may be shown of a card; empty where nothing is known."""

    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True)
class Customer:
    """Who pays, as Stripe knows them."""

    id: str
    is_deleted: bool
    currency: str  # empty before the first payment
    payment_method: str  # charged where a subscription names none; may be empty
    account: str = ""  # what its metadata says whose it is
    subscriptions: tuple[Raw, ...] = ()  # live ones, where a list was asked for them; read by `read_subscription`
    balance_minor: int = 0  # below 0: credit that the next invoice uses


def read_customer(raw: Raw) -> Customer:
    """Read a customer; of a deleted one only the id is there."""
    return Customer(
        id=raw["id"],
        is_deleted=bool(raw.get("deleted")),
        currency=(raw.get("currency") or "").lower(),
        payment_method=id_of((raw.get("invoice_settings") or {}).get("default_payment_method")),
        account=(raw.get("metadata") or {}).get("account_id", ""),
        subscriptions=tuple((raw.get("subscriptions") or {}).get("data") or ()),
        balance_minor=raw.get("balance") or 0,
    )


def read_card(method: object) -> Card:
    """Brand, last four digits and expiry of an expanded payment method; nothing where it is no card, or no object."""
    card = method.get("card") if isinstance(method, dict) else None
    return Card(card["brand"], card["last4"], card["exp_month"], card["exp_year"]) if card else Card()
