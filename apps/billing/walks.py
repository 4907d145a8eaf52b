"""The lists of everybody at Stripe, read in pages and compared with our tables: with whom is something wrong?

Each walk is a list of pages. Its place is the id of the last object of the last page that was compared.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Protocol, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.billing import comparison, customers, differences, inspection, meter_drift, shelf, stalls
from apps.billing.comparison import ENDED, subscribed
from apps.billing.differences import Difference
from apps.billing.models import (
    BillingAccount,
    DisputeMirror,
    DriftItem,
    FormerCustomer,
    InvoiceMirror,
    PaymentMirror,
    Reconciliation,
    RefundMirror,
)
from apps.billing.stripe_facts import Customer, Dispute, Refund, read_subscription
from apps.billing.stripe_gateway import Gateway

PAGE = 100
BATCH = 500
ORPHAN = "orphan_customer"
Clock = Callable[[], datetime]


class Named(Protocol):
    """Something of Stripe's with an id."""

    @property
    def id(self) -> str:
        """Its id."""


Thing = TypeVar("Thing", bound=Named)


class Walker:
    """Goes through the lists for one reconciliation, and keeps in `found` what differs and with whom."""

    def __init__(self, run: Reconciliation, gateway: Gateway, *, is_dry: bool, clock: Clock) -> None:
        self.run, self.gateway, self.is_dry, self.clock = run, gateway, is_dry, clock
        self.found: list[tuple[str, Difference]] = []
        self.met: set[str] = set()  # customers, in a dry run, which writes nothing down

    def steps(self) -> Mapping[str, Callable[[], Iterator[str]]]:
        """Walks in their order. Each gives its place after every page."""
        return {
            "customers": self._customers,
            "unseen": self._unseen,
            "invoices": self._invoices,
            "refunds": self._refunds,
            "disputes": self._disputes,
            "access": self._access,
            "usage": self._usage,
            "rest": self._rest,
        }

    # --- who pays ---
    def _customers(self) -> Iterator[str]:
        for page in self._pages(self.gateway.list_customers(after=self.run.cursor)):
            owners = _owners([customer.id for customer in page])
            for customer in page:
                self._meet(customer, owners.get(customer.id))
            yield page[-1].id

    def _meet(self, customer: Customer, account: BillingAccount | None) -> None:
        listed = [read_subscription(raw) for raw in customer.subscriptions]
        self.met.add(customer.id)
        account = account or self._adopt(customer)
        if account is None:
            live = [one.id for one in listed if one.status not in ENDED and subscribed(one)]
            if live:
                self._keep(Difference(ORPHAN, customer.id, stripe=", ".join(live)), None, customer.id)
            return
        self.run.accounts += 1
        if not self.is_dry:
            BillingAccount.objects.filter(pk=account.pk).update(compared_at=self.clock())
        if not comparison.is_as_listed(account, customer, listed) or self._has_open_items(account):
            self.inspect(account)

    def _adopt(self, customer: Customer) -> BillingAccount | None:
        """A customer that we made and whose id never reached our table says itself whose it is."""
        named = find_named(customer.account)
        if named is not None and not self.is_dry:
            customers.adopt(named, customer.id, now=self.clock())
            named.refresh_from_db()
        return named

    def _unseen(self) -> Iterator[str]:
        """Accounts whose customer no list named: deleted at Stripe, or never there."""
        accounts = BillingAccount.objects.filter(
            stripe_customer_id__isnull=False, customer_gone_at=None, created_at__lt=self.run.started_at
        )
        if self.is_dry:
            accounts = accounts.exclude(stripe_customer_id__in=self.met)
        else:
            accounts = accounts.filter(Q(compared_at=None) | Q(compared_at__lt=self.run.started_at))
        for account in _by_key(accounts, self.run.cursor):
            self.inspect(account)
            yield str(account.pk)
        if not self.is_dry:
            differences.close_unseen(ORPHAN, since=self.run.started_at, now=self.clock())

    # --- what was paid ---
    def _invoices(self) -> Iterator[str]:
        listed = self.gateway.list_invoices(None, since=self.run.since, after=self.run.cursor)
        for page in self._pages(listed):
            rows = InvoiceMirror.objects.in_bulk([invoice.id for invoice in page])
            owners = _owners([invoice.customer for invoice in page])
            wrong = [invoice.customer for invoice, _difference in comparison.of_invoices(rows, page)]
            for account in {owners[key].pk: owners[key] for key in wrong if key in owners}.values():
                self.inspect(account)
            yield page[-1].id

    def _refunds(self) -> Iterator[str]:
        listed = self.gateway.list_all_refunds(since=self.run.since, after=self.run.cursor)
        yield from self._money_back(listed, RefundMirror)

    def _disputes(self) -> Iterator[str]:
        listed = self.gateway.list_all_disputes(since=self.run.since, after=self.run.cursor)
        yield from self._money_back(listed, DisputeMirror)

    def _money_back(
        self, listed: Iterable[Refund | Dispute], table: type[RefundMirror] | type[DisputeMirror]
    ) -> Iterator[str]:
        for page in self._pages(listed):
            rows = table.objects.in_bulk([fact.id for fact in page])
            for fact, difference in comparison.of_money_back(rows, page):
                paid = PaymentMirror.objects.filter(pk=fact.payment_intent).select_related("account").first()
                if paid is not None:
                    self._keep(difference, paid.account, str(paid.account_id))
                    self.inspect(paid.account)
                    self._close_if_here(difference, paid.account, table)
            yield page[-1].id

    def _close_if_here(
        self, difference: Difference, account: BillingAccount, table: type[RefundMirror] | type[DisputeMirror]
    ) -> None:
        row = table.objects.filter(pk=difference.subject).first()
        if not self.is_dry and row is not None and f"{row.status} {row.amount_minor}" == difference.stripe:
            differences.close(difference.kind, account, difference.subject, now=self.clock())

    # --- what follows from it here ---
    def _access(self) -> Iterator[str]:
        """Snapshots against our own mirror: no question to Stripe unless one is wrong."""
        accounts = BillingAccount.objects.filter(Q(snapshots__isnull=False) | Q(subscriptions__isnull=False)).distinct()
        for account in _by_key(accounts, self.run.cursor):
            if any(comparison.of_snapshot(account, now=self.clock())):
                self.inspect(account)
            yield str(account.pk)

    def _usage(self) -> Iterator[str]:
        """Our rows of usage against what the meter counted."""
        for account in _by_key(meter_drift.concerned(now=self.clock()), self.run.cursor):
            counted = meter_drift.read(account, self.gateway, now=self.clock())
            if any(meter_drift.compare(account, counted, now=self.clock())):
                self.inspect(account)
            yield str(account.pk)

    def _rest(self) -> Iterator[str]:
        """What belongs to nobody: the shelf, and what stands still."""
        if self.is_dry:
            self.found += [(str(account.pk) if account else "", one) for account, one in stalls.find(now=self.clock())]
        else:
            shelf.read(now=self.clock())
            self.found += stalls.note(now=self.clock())
        yield from ()  # one page that needs no place: it is read again, or the run is over

    def inspect(self, account: BillingAccount) -> None:
        """Look at one account exactly, and repair it unless this is a dry run."""
        found = inspection.inspect(account, self.gateway, is_dry=self.is_dry, clock=self.clock)
        self.found += [(str(account.pk), one) for one in found]

    def _keep(self, difference: Difference, account: BillingAccount | None, owner: str) -> None:
        self.found.append((owner, difference))
        if not self.is_dry:
            differences.see(difference, account, now=self.clock())

    @staticmethod
    def _has_open_items(account: BillingAccount) -> bool:
        items = DriftItem.objects.filter(account=account, kind__in=comparison.OF_ACCOUNT, fixed_at=None)
        return items.exists()

    @staticmethod
    def _pages(listed: Iterable[Thing]) -> Iterator[Sequence[Thing]]:
        things = iter(listed)
        while page := list(islice(things, PAGE)):
            yield page


def find_named(account: str) -> BillingAccount | None:
    """The account that metadata at Stripe names, of somebody who is still here; None where it names none of ours."""
    try:
        return BillingAccount.objects.filter(pk=UUID(account), erased_at=None).first()
    except ValueError:
        return None


def _owners(customers: Sequence[str]) -> dict[str, BillingAccount]:
    """Customer → account, now or before."""
    found = {
        former.pk: former.account
        for former in FormerCustomer.objects.filter(pk__in=customers).select_related("account")
    }
    now_theirs = BillingAccount.objects.filter(stripe_customer_id__in=customers)
    return {**found, **{str(account.stripe_customer_id): account for account in now_theirs}}


def _by_key(accounts: QuerySet[BillingAccount], after: str) -> Iterator[BillingAccount]:
    """Accounts in the order of their ids, some at a time, so that none is held open."""
    while True:
        page = list((accounts.filter(pk__gt=after) if after else accounts).order_by("pk")[:BATCH])
        if not page:
            return
        yield from page
        after = str(page[-1].pk)
