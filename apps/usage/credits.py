"""Prepaid money for the API: given once per source, set aside before a call, spent after it."""

from datetime import datetime
from uuid import UUID

from django.db.models import F

from apps.billing import plans
from apps.billing.models import BillingAccount
from apps.core import guards
from apps.core.errors import Refusal
from apps.usage import errors
from apps.usage.models import CreditAccount, CreditGrant, UsageLedger


def balance_micro(account: BillingAccount) -> int:
    """What is left to spend, in micro-units: the balance without what running answers have set aside."""
    credit = CreditAccount.objects.filter(account=account).first()
    return max(0, credit.balance_micro - credit.reserved_micro) if credit else 0


def currency_of(account: BillingAccount) -> str:
    """The currency of the account's credit; before there is any, the one that models are priced in."""
    credit = CreditAccount.objects.filter(account=account).first()
    return credit.currency if credit else plans.catalogue().currencies[0]


def grant_starter_credit(account: BillingAccount, *, now: datetime) -> bool:
    """Give the catalogue's starter credit, once per account; say whether it was given now. A step."""
    for currency, amount_micro in plans.catalogue().developer.starter_credit_micro.items():
        if amount_micro > 0:  # the first currency is the one that models are priced in
            return grant(account, CreditGrant.Source.PROMO, f"starter:{account.pk}", amount_micro, currency, now=now)
    return False


def grant(
    account: BillingAccount, source: str, source_ref: str, amount_micro: int, currency: str, *, now: datetime
) -> bool:
    """Add credit, once per source and reference; say whether it was added now.

    Effect  a step: a grant, the balance, and a ledger row. A debt is paid by it first, since the balance is below zero.
    Raises  ValueError: nothing or less is given, or the account's credit is in another currency.
    """
    guards.inside_transaction()
    if amount_micro <= 0:
        raise ValueError("A grant must be more than nothing.")
    made = CreditGrant.objects.bulk_create(
        [CreditGrant(account=account, source=source, source_ref=source_ref, amount_micro=amount_micro, granted_at=now)],
        ignore_conflicts=True,
    )
    if not CreditGrant.objects.filter(pk=made[0].pk).exists():
        return False
    CreditAccount.objects.get_or_create(account=account, defaults={"currency": currency})
    mine = CreditAccount.objects.filter(account=account, currency=currency)
    if not mine.update(balance_micro=F("balance_micro") + amount_micro):
        raise ValueError(f"The credit of {account} is not in {currency}.")
    UsageLedger.objects.create(
        account=account,
        kind=UsageLedger.Kind.GRANT,
        channel="api",
        credit_micro=amount_micro,
        currency=currency,
        provenance=UsageLedger.Provenance.REPORTED,
        occurred_at=now,
        recorded_at=now,
        idempotency_key=f"grant:{source}:{source_ref}",
    )
    return True


def take(account: BillingAccount, amount_micro: int, currency: str) -> None:
    """Set money aside: one UPDATE that holds the condition.

    Raises  PaymentNeeded `credit_spent`: less is left, or it is in another currency.
    """
    guards.inside_transaction()
    enough = CreditAccount.objects.filter(
        account=account, currency=currency, balance_micro__gte=F("reserved_micro") + amount_micro
    )
    if not enough.update(reserved_micro=F("reserved_micro") + amount_micro):
        raise errors.payment_needed(Refusal(errors.CREDIT_SPENT, lifted_by=errors.CREDIT))


def spend(account_id: UUID, given_back_micro: int, price_micro: int) -> int:
    """Give back what was set aside and take the price; give the part of it that no credit covers (debt). A step."""
    guards.inside_transaction()
    mine = CreditAccount.objects.filter(account_id=account_id)
    mine.update(reserved_micro=F("reserved_micro") - given_back_micro, balance_micro=F("balance_micro") - price_micro)
    after_micro = mine.values_list("balance_micro", flat=True).get()  # our UPDATE holds the row until the commit
    return max(0, -after_micro) - max(0, -(after_micro + price_micro))


def record_debt(row: UsageLedger, debt_micro: int) -> None:
    """Say in a row of its own that an answer cost more than was left; the next grant pays it first. A step."""
    guards.inside_transaction()
    UsageLedger.objects.create(
        account_id=row.account_id,
        run_id=row.run_id,
        kind=UsageLedger.Kind.DEBT,
        channel=row.channel,
        plan_key=row.plan_key,
        model=row.model,
        credit_micro=-debt_micro,
        currency=row.currency,
        provenance=row.provenance,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        idempotency_key=f"debt:{row.run_id}",
    )
