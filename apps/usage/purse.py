"""What the page of credit shows of an account: balance, grants, what was bought, and how more comes. Reads only."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.billing import credit_purchases, overage, plans, recharges
from apps.billing.models import AutoRecharge, BillingAccount, CreditPurchase, Overage, SavedCard
from apps.core import money
from apps.core.errors import Invalid
from apps.usage import charges, credits
from apps.usage.models import CreditGrant

PRESET_MINOR = 1000
PURCHASES_SHOWN = 24


def read_minor(text: str, field: str) -> int:
    """What a person wrote for an amount, in minor units.

    Raises  Invalid: that is no amount, or finer than a cent.
    """
    return read_micro(text, field) // money.MICRO_PER_MINOR


def read_micro(text: str, field: str) -> int:
    """The same in micro-units; never finer than a cent.

    Raises  Invalid.
    """
    sentence = _("Write an amount such as 20 or 20.50.")
    try:
        amount_micro = money.micro_from_text(text)
    except ValueError:
        raise Invalid(sentence, field=field) from None
    if amount_micro % money.MICRO_PER_MINOR:
        raise Invalid(sentence, field=field)
    return amount_micro


def describe(account: BillingAccount, written: Mapping[str, str], *, now: datetime) -> dict[str, object]:
    """All that the page shows. `written` is what a refused form held, and is shown again."""
    currency = credits.currency_of(account)
    return {
        "currency": currency.upper(),
        "credit": money.decimal_from_micro(credits.balance_micro(account)),
        "debt": money.decimal_from_micro(credits.debt_micro(account)),
        "grants": [_grant(grant) for grant in credits.unspent(account)],
        "card": SavedCard.objects.filter(account=account).first(),
        "purchases": [_purchase(row) for row in _purchases(account)],
        **_offer(currency, written),
        **_recharge(account, currency, written, now=now),
        **_charges(account, currency, written, now=now),
    }


def _offer(currency: str, written: Mapping[str, str]) -> dict[str, object]:
    offer = credit_purchases.offer_in(currency)
    if offer is None:
        return {"offer": None}
    preset = PRESET_MINOR if PRESET_MINOR in offer.amounts_minor else offer.amounts_minor[0]
    chosen = written.get("amount", str(preset // 100))
    amounts = [str(amount // 100) for amount in offer.amounts_minor]
    facts = {"least": offer.least_minor // 100, "most": offer.most_minor // 100}
    return {"offer": facts, "amounts": amounts, "chosen": chosen, "other": written.get("other", ""),
            "saves_card": "saves_card" in written}  # fmt: skip


def _recharge(
    account: BillingAccount, currency: str, written: Mapping[str, str], *, now: datetime
) -> dict[str, object]:
    wish = AutoRecharge.objects.filter(account=account).first()
    shown = {
        "threshold": _text(wish.threshold_micro) if wish else "5",
        "recharge_amount": _text(money.micro_from_minor(wish.amount_minor)) if wish else "25",
        "most": _text(money.micro_from_minor(wish.most_minor)) if wish else "100",
    }
    charged = money.micro_from_minor(recharges.charged_this_month(account, now=now))
    return {
        "recharge": wish,
        "recharged": money.decimal_from_micro(charged),
        "recharge_form": shown | {name: written[name] for name in shown if name in written},
        "is_recharging": account.credit_purchases.recharges().open().exists(),
    }


def _charges(account: BillingAccount, currency: str, written: Mapping[str, str], *, now: datetime) -> dict[str, object]:
    own = Overage.objects.filter(account=account).first()
    most_micro = plans.catalogue().developer.most_usage_micro.get(currency) if plans.catalogue().sells else None
    cap = written.get("usage_cap") or (_text(own.cap_micro) if own else "50")
    allowed = overage.find_allowed(account)
    return {
        "charges_most": most_micro and most_micro // money.MICRO,
        "charges": own,
        "is_charging": allowed is not None,
        "usage_cap": cap,
        **charges_so_far(account, now=now),
    }


def charges_so_far(account: BillingAccount, *, now: datetime) -> dict[str, object]:
    """What `usage/_charges_so_far.html` shows, on any page: nothing where usage was never charged."""
    own = Overage.objects.filter(account=account).first()
    if own is None:
        return {"charged": None}
    micro = charges.so_far_micro(account, now=now)
    return {
        "charged": money.decimal_from_micro(micro),
        "charged_percent": min(100, micro * 100 // own.cap_micro) if own.cap_micro else 100,
        "charges_cap": money.decimal_from_micro(own.cap_micro),
        "charges_currency": own.currency.upper(),
        "charges_due": overage.next_month(now),
    }


def _purchases(account: BillingAccount) -> list[CreditPurchase]:
    """What was bought or refused, the latest first; pages that nobody paid are left out."""
    rows = account.credit_purchases.exclude(state=CreditPurchase.State.EXPIRED).order_by("-created_at")
    return list(rows.prefetch_related("payments")[:PURCHASES_SHOWN])


def _purchase(row: CreditPurchase) -> dict[str, object]:
    gone_minor = sum(payment.refunded_minor + payment.lost_minor for payment in row.payments.all())
    return {
        "row": row,
        "amount": _major(row.amount_minor),
        "gone": _major(gone_minor),
        "currency": row.currency.upper(),
    }


def _grant(grant: CreditGrant) -> dict[str, object]:
    left, amount = money.decimal_from_micro(grant.remaining_micro), money.decimal_from_micro(grant.amount_micro)
    return {"source": grant.source, "left": left, "amount": amount, "expires_at": grant.expires_at}


def _major(minor: int) -> Decimal:
    return money.decimal_from_micro(money.micro_from_minor(minor))


def _text(micro: int) -> str:
    """An amount as a person writes it: “5”, “5.50”."""
    return str(micro // money.MICRO if micro % money.MICRO == 0 else money.decimal_from_micro(micro))
