"""Find a customer, and how they stand. What they wrote to a model is not read here, nor anywhere near."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from apps.accounts.models import AuditEntry, StaffNote, User
from apps.billing import entitlements
from apps.billing.entitlements import InForce
from apps.billing.models import BillingAccount
from apps.core import money
from apps.core.errors import Missing
from apps.developer.models import ApiKey
from apps.privacy.models import DataRequest
from apps.reporting.models import AccountMonth
from apps.usage import balances
from apps.usage.balances import Balance
from apps.usage.models import UsageLedger

MOST_FOUND = 20
SHORTEST = 3
SHOWN = 20
WHILE = timedelta(days=30)
MONTHS_SHOWN = 13  # a year, and the month that is open


@dataclass(frozen=True)
class Use:
    """Of the last 30 days. `cost`: what the models cost us, amount and currency for each."""

    answers: int
    tokens: int
    cost: Sequence[str]


@dataclass(frozen=True)
class Customer:
    """How one person stands."""

    person: User
    is_verified: bool
    last_seen_at: datetime | None
    sessions: int
    account: BillingAccount | None
    has: InForce | None
    limits: Sequence[Balance]
    use: Use
    keys: Sequence[ApiKey]
    months: Sequence[AccountMonth]  # the latest first
    requests: Sequence[DataRequest]
    notes: Sequence[StaffNote]
    acts: Sequence[AuditEntry]


def search(words: str) -> list[User]:
    """People by id, address, name, or what Stripe calls them and theirs; whoever is meant exactly comes first.

    Nobody is listed for less than three characters: a search is for somebody, not for everybody.
    """
    words = words.strip()
    if len(words) < SHORTEST or "\x00" in words:
        return []
    exact = list(User.objects.filter(_is_exactly(words)).distinct()[:MOST_FOUND])  # a guest by their id alone
    near = Q(email__icontains=words) | Q(name__icontains=words)
    others = (
        User.objects.filter(near, is_guest=False).exclude(pk__in=[one.pk for one in exact]).order_by("-date_joined")
    )
    return [*exact, *others[: MOST_FOUND - len(exact)]]


def is_meant(person: User, words: str) -> bool:
    """Whether the words can mean nobody else: an address, or the id of a person or of their account."""
    words = words.strip().lower()
    account: BillingAccount | None = getattr(person, "billing_account", None)
    return words in (person.email.lower(), str(person.pk), str(account.pk) if account else "")


def get_person(user_id: UUID) -> User:
    """One person.

    Raises  Missing.
    """
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        raise Missing(_("There is no such customer."))
    return person


def read(person: User, *, now: datetime) -> Customer:
    """How a person stands now; their account is not made for the looking."""
    account = BillingAccount.objects.filter(owner=person).first()
    has = entitlements.in_force(account, now=now) if account else None
    seen = UserSession.objects.filter(user=person).order_by("-last_seen_at")
    return Customer(
        person=person,
        is_verified=EmailAddress.objects.filter(user=person, email=person.email, verified=True).exists(),
        last_seen_at=next((row.last_seen_at for row in seen[:1]), None),
        sessions=seen.count(),
        account=account,
        has=has,
        limits=balances.remaining(account, plan=has.terms, now=now) if account and has else (),
        use=_use_of(account, now=now),
        keys=list(ApiKey.objects.filter(account=account).order_by("-created_at")[:SHOWN]) if account else (),
        months=list(account.months.order_by("-month", "currency")[:MONTHS_SHOWN]) if account else (),
        requests=list(DataRequest.objects.filter(user=person).defer("archive").order_by("-asked_at")[:SHOWN]),
        notes=list(StaffNote.objects.filter(subject=person).select_related("author").order_by("-written_at")[:SHOWN]),
        acts=list(_acts_on(person)[:SHOWN]),
    )


def _is_exactly(words: str) -> Q:
    meant = Q(email__iexact=words) | Q(billing_account__stripe_customer_id=words)
    meant |= Q(billing_account__subscriptions__stripe_subscription_id=words)
    meant |= Q(billing_account__invoices__stripe_invoice_id=words) | Q(billing_account__invoices__number=words)
    meant |= Q(billing_account__api_keys__hint=words)
    try:
        key = UUID(words)
    except ValueError:
        return meant
    return meant | Q(pk=key) | Q(billing_account__pk=key)


def _use_of(account: BillingAccount | None, *, now: datetime) -> Use:
    rows = UsageLedger.objects.filter(account=account, kind=UsageLedger.Kind.SETTLE, occurred_at__gt=now - WHILE)
    sums = rows.aggregate(tokens=Sum(F("input_tokens") + F("output_tokens")))
    costs = rows.exclude(cost_currency="").values_list("cost_currency").annotate(Sum("cost_micro")).order_by()
    told = [f"{money.decimal_from_micro(micro):.4f} {currency.upper()}" for currency, micro in costs]
    return Use(rows.count(), sums["tokens"] or 0, told)


def _acts_on(person: User) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(subject=person).select_related("actor").order_by("-happened_at", "-id")
