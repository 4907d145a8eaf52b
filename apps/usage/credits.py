"""Prepaid money for the API: given once per source, set aside before a call, spent after it, grant by grant.

The balance of an account is one row, moved by one conditional UPDATE; what is left of each grant follows it while that
row is held, so that the sum of what is left is the balance, or nothing while there is a debt.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F, Sum

from apps.billing import plans
from apps.billing.models import BillingAccount, Overage
from apps.billing.plans import PlanTerms
from apps.core import guards, jobs
from apps.core.errors import Refusal
from apps.usage import errors, limits, roundtrip
from apps.usage.models import CreditAccount, CreditGrant, UsageLedger
from apps.usage.roundtrip import Statement

Source = CreditGrant.Source
# What was given is spent before what was bought; among equals, what ends first.
PRIORITIES = {Source.PROMO: 10, Source.SUPPORT: 20, Source.PURCHASE: 50}

# What is left, and whether this answer left so little that the card is to be charged: the wish is read on the same way.
PAY = """
    UPDATE usage_creditaccount AS purse SET reserved_micro = reserved_micro - %s, balance_micro = balance_micro - %s
     WHERE account_id = %s
 RETURNING balance_micro, EXISTS (
           SELECT FROM billing_autorecharge AS wish
            WHERE wish.account_id = purse.account_id AND wish.is_on AND wish.threshold_micro > purse.balance_micro
              AND wish.threshold_micro <= purse.balance_micro + %s)
"""
SPEND = """
    WITH line AS (
        SELECT id, remaining_micro,
               SUM(remaining_micro) OVER (ORDER BY priority, expires_at NULLS LAST, granted_at, id) - remaining_micro
               AS before
          FROM usage_creditgrant WHERE account_id = %s AND remaining_micro > 0
    ), moved AS (
        UPDATE usage_creditgrant AS held
           SET remaining_micro = held.remaining_micro - LEAST(line.remaining_micro, %s - line.before)
          FROM line WHERE held.id = line.id AND line.before < %s
     RETURNING held.source, LEAST(line.remaining_micro, %s - line.before) AS part
    )
    SELECT COALESCE(SUM(part) FILTER (WHERE source = 'purchase'), 0)::bigint FROM moved
"""

CURRENCY = "SELECT currency FROM usage_creditaccount WHERE account_id = %s"


def balance_micro(account: BillingAccount) -> int:
    """What is left to spend, in micro-units: the balance without what running answers have set aside."""
    credit = CreditAccount.objects.filter(account=account).first()
    return max(0, credit.balance_micro - credit.reserved_micro) if credit else 0


def debt_micro(account: BillingAccount) -> int:
    """What answers or disputes took beyond all credit, in micro-units: the next grant pays it first."""
    credit = CreditAccount.objects.filter(account=account).first()
    return max(0, -credit.balance_micro) if credit else 0


def currency_of(account: BillingAccount) -> str:
    """The currency of the account's credit; before there is any, that of its payments, else the catalogue's first."""
    with connection.cursor() as cursor:
        cursor.execute(CURRENCY, [account.pk])
        found = cursor.fetchone()
    if found:
        return str(found[0])
    known = plans.catalogue().currencies
    return account.currency if account.currency in known else known[0]


def api_terms(account: BillingAccount, plan: PlanTerms) -> PlanTerms:
    """The terms of an account's calls: its plan's, and the developers' once it bought credit or pays by the month."""
    bought = CreditGrant.objects.filter(account=account, source=Source.PURCHASE, amount_micro__gt=F("refunded_micro"))
    pays = bought.exists() or Overage.objects.filter(account=account, is_on=True).exists()
    return limits.paying_as_they_go(plan, plans.catalogue().developer.plan) if pays else plan


def unspent(account: BillingAccount) -> list[CreditGrant]:
    """The grants of which something is left, in the order in which they are spent."""
    return list(CreditGrant.objects.filter(account=account, remaining_micro__gt=0).in_spending_order())


def grant_starter_credit(account: BillingAccount, *, now: datetime) -> bool:
    """Give the catalogue's starter credit in the account's currency, once; say whether it was given now. A step."""
    currency = currency_of(account)
    amount_micro = plans.catalogue().developer.starter_credit_micro.get(currency, 0)
    if amount_micro <= 0:
        return False
    return grant(account, Source.PROMO, f"starter:{account.pk}", amount_micro, currency, now=now)


def grant(  # noqa: PLR0913 what one grant is, in one row
    account: BillingAccount,
    source: str,
    source_ref: str,
    amount_micro: int,
    currency: str,
    *,
    expires_at: datetime | None = None,
    now: datetime,
) -> bool:
    """Add credit, once per source and reference; say whether it was added now.

    Effect  a step: a grant, the balance, and a ledger row. A debt is paid by it first: so much is spent at once.
    Raises  ValueError: nothing or less is given, it has ended already, or the account's credit is in another currency.
    """
    guards.inside_transaction()
    if amount_micro <= 0:
        raise ValueError("A grant must be more than nothing.")
    if expires_at is not None and expires_at <= now:
        raise ValueError("A grant must end later than now.")
    CreditAccount.objects.get_or_create(account=account, defaults={"currency": currency})
    credit = CreditAccount.objects.select_for_update(no_key=True).get(account=account)
    if credit.currency != currency:
        raise ValueError(f"The credit of {account} is not in {currency}.")
    row = CreditGrant(
        account=account,
        source=source,
        source_ref=source_ref,
        amount_micro=amount_micro,
        remaining_micro=amount_micro - min(amount_micro, max(0, -credit.balance_micro)),
        priority=PRIORITIES[Source(source)],
        expires_at=expires_at,
        granted_at=now,
    )
    CreditGrant.objects.bulk_create([row], ignore_conflicts=True)
    if not CreditGrant.objects.filter(pk=row.pk).exists():
        return False
    CreditAccount.objects.filter(account=account).update(balance_micro=F("balance_micro") + amount_micro)
    earned_micro = amount_micro - row.remaining_micro if source == Source.PURCHASE else 0  # the debt that it pays
    key = f"grant:{source}:{source_ref}"
    _write(account.pk, UsageLedger.Kind.GRANT, amount_micro, currency, key, earned_micro=earned_micro, now=now)
    return True


def take(account: BillingAccount, amount_micro: int, currency: str, *, now: datetime) -> None:
    """Set money aside: one UPDATE that holds the condition, after what has ended was taken out.

    Raises  PaymentNeeded `credit_spent`: less is left, or it is in another currency.
    """
    guards.inside_transaction()
    if CreditGrant.objects.filter(account=account).due(at=now).exists():
        expire(account.pk, now=now)
    enough = CreditAccount.objects.filter(
        account=account, currency=currency, balance_micro__gte=F("reserved_micro") + amount_micro
    )
    if not enough.update(reserved_micro=F("reserved_micro") + amount_micro):
        raise errors.payment_needed(Refusal(errors.CREDIT_SPENT, lifted_by=errors.CREDIT))


class Spent(NamedTuple):
    """Of one price, in micro-units: the part that no credit covers, and the part that credit paid which was bought."""

    debt_micro: int = 0
    bought_micro: int = 0


def spend(account_id: UUID, given_back_micro: int, price_micro: int) -> Spent:
    """Give back what was set aside and take the price from the grants.

    Effect  a step. Where little is left and the person wants it, the job that recharges is nudged.
    """
    guards.inside_transaction()
    statements = [Statement(PAY, (given_back_micro, price_micro, account_id, price_micro))]
    if price_micro:  # the first holds the account's row, so that nobody else moves its grants until the commit
        statements.append(Statement(SPEND, (account_id, price_micro, price_micro, price_micro)))
    after_micro: int
    ((after_micro, is_low),), *moved = roundtrip.ask(statements)
    if is_low:
        jobs.enqueue("usage.recharge", str(account_id))
    debt_micro = max(0, -after_micro) - max(0, -(after_micro + price_micro))
    return Spent(debt_micro, moved[0][0][0] if moved else 0)


def expire(account_id: UUID, *, now: datetime) -> int:
    """Take out what is left of grants whose time is over; give how much that was, in micro-units.

    What running answers have set aside was promised to them: it stays until they end, and goes with a later call.

    Effect  a step; a ledger row for each grant.
    """
    guards.inside_transaction()
    credit = CreditAccount.objects.select_for_update(no_key=True).filter(account_id=account_id).first()
    if credit is None:
        return 0
    free_micro = credit.balance_micro - credit.reserved_micro
    total = 0
    for row in CreditGrant.objects.filter(account_id=account_id).due(at=now).in_spending_order():
        gone_micro = min(row.remaining_micro, free_micro - total)
        if gone_micro > 0:
            left_micro = row.remaining_micro - gone_micro
            CreditGrant.objects.filter(pk=row.pk).update(remaining_micro=left_micro)
            key, earned_micro = f"expire:{row.pk}:{left_micro}", gone_micro if row.source == Source.PURCHASE else 0
            kind = UsageLedger.Kind.EXPIRE
            _write(account_id, kind, -gone_micro, credit.currency, key, earned_micro=earned_micro, now=now)
            total += gone_micro
    if total:
        CreditAccount.objects.filter(pk=credit.pk).update(balance_micro=F("balance_micro") - total)
    return total


def follow_refunds(grant_id: UUID, gone_micro: int, lost_micro: int, *, now: datetime) -> int:
    """Take back what a purchase gave as far as its money went back; give how the balance moved, in micro-units.

    The credit of that purchase goes first, then what else was bought, then the rest: down to nothing. What was used
    already is not asked for again after a refund, which we chose to give; after a dispute that was lost it is a debt,
    which the next grant pays first. A refund that failed gives back what was taken for it.

    gone_micro  all that went back so far, with `lost_micro`, what disputes took of it. Again: nothing.
    Effect      a step; a ledger row, and another for a debt. What went back though it was used is no revenue any more.
    """
    guards.inside_transaction()
    account_id: UUID = CreditGrant.objects.values_list("account_id", flat=True).get(pk=grant_id)
    credit = CreditAccount.objects.select_for_update(no_key=True).get(account_id=account_id)
    row = CreditGrant.objects.get(pk=grant_id)
    more_micro = min(gone_micro, row.amount_micro) - row.refunded_micro
    before_micro = _bought_and_unspent(account_id)
    if more_micro > 0:
        taken_micro = _take_from_grants(row, more_micro)
        debt_micro = min(more_micro - taken_micro, lost_micro)
    else:
        taken_micro, debt_micro = -_restore(row, min(-more_micro, row.taken_back_micro), credit.balance_micro), 0
    CreditGrant.objects.filter(pk=grant_id).update(
        refunded_micro=F("refunded_micro") + more_micro,
        taken_back_micro=F("taken_back_micro") + taken_micro + debt_micro,
    )
    CreditAccount.objects.filter(pk=credit.pk).update(balance_micro=F("balance_micro") - taken_micro - debt_micro)
    earned_micro = before_micro - _bought_and_unspent(account_id) - more_micro
    key, kinds = f"{row.source_ref}:{row.refunded_micro}:{gone_micro}:{now.isoformat()}", UsageLedger.Kind
    for kind, moved_micro, earned in ((kinds.REFUND, taken_micro, earned_micro), (kinds.DEBT, debt_micro, 0)):
        if moved_micro or earned:
            _write(account_id, kind, -moved_micro, credit.currency, f"{kind}:{key}", earned_micro=earned, now=now)
    return -taken_micro - debt_micro


def _bought_and_unspent(account_id: UUID) -> int:
    """What is left of what was bought: it was paid for, and is not earned."""
    bought = CreditGrant.objects.filter(account_id=account_id, source=Source.PURCHASE)
    return int(bought.aggregate(left=Sum("remaining_micro"))["left"] or 0)


def _take_from_grants(own: CreditGrant, wanted_micro: int) -> int:
    """Take so much of what is left: its own first, then what was bought, then the rest. The account's row is held."""
    left_micro = wanted_micro
    rows = CreditGrant.objects.filter(account_id=own.account_id, remaining_micro__gt=0)
    for row in sorted(rows, key=lambda row: (row.pk != own.pk, -row.priority, row.granted_at)):
        part_micro = min(row.remaining_micro, left_micro)
        if part_micro:
            CreditGrant.objects.filter(pk=row.pk).update(remaining_micro=F("remaining_micro") - part_micro)
            left_micro -= part_micro
    return wanted_micro - left_micro


def _restore(own: CreditGrant, back_micro: int, balance_micro: int) -> int:
    """Give so much back to a grant; a debt is paid by it first."""
    paid_micro = min(back_micro, max(0, -balance_micro))
    CreditGrant.objects.filter(pk=own.pk).update(remaining_micro=F("remaining_micro") + back_micro - paid_micro)
    return back_micro


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
        cost_currency=row.cost_currency,
        provenance=row.provenance,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        idempotency_key=f"debt:{row.run_id}",
    )


def _write(  # noqa: PLR0913 one row
    account_id: UUID, kind: str, credit_micro: int, currency: str, key: str, *, earned_micro: int, now: datetime
) -> None:
    UsageLedger.objects.create(
        account_id=account_id,
        kind=kind,
        channel="api",
        credit_micro=credit_micro,
        earned_micro=earned_micro,
        currency=currency,
        provenance=UsageLedger.Provenance.REPORTED,
        occurred_at=now,
        recorded_at=now,
        idempotency_key=key,
    )
