"""What a year of one subscription must cost, worked out by hand: exact fractions, nothing of ours or the sandbox.

A script says what happens and when; `Expected` says which invoices there must be, what they add up to, and what the
account may use and brings each month. Amounts in minor units, moments aware and in UTC.
"""

import calendar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor

PRICES = {
    ("premium", "month"): 800,
    ("premium", "year"): 8_400,
    ("premium_plus", "month"): 4_000,
    ("premium_plus", "year"): 39_600,
}
MONTHS = {"month": 1, "year": 12}
SMALLEST = 50  # a smaller total is not charged but carried over
HOUR, DUNNING, GRACE = timedelta(hours=1), timedelta(days=14), timedelta(days=7)
FAR = timedelta(days=10_000)


@dataclass(frozen=True)
class Coupon:
    """Off every invoice (`months` None), off those of the first months, or off the first (`months` 0)."""

    percent: int = 0
    amount: int = 0
    months: int | None = None


@dataclass(frozen=True)
class Script:
    """What happens to one subscription. `steps` are (days after the start, what, to which plan and interval)."""

    plan: str
    interval: str
    currency: str
    start: datetime
    steps: tuple[tuple[int, str, tuple[str, str] | None], ...] = ()
    trial_days: int = 0
    coupon: Coupon | None = None

    def moment(self, step):
        return self.start + timedelta(days=step[0])


@dataclass
class Bill:
    number: int
    reason: str
    total: int
    due: int
    paid: int
    status: str
    created: datetime


@dataclass
class Expected:
    """One subscription as it must be; `until` lets time pass."""

    script: Script
    bills: list[Bill] = field(default_factory=list)
    balance: int = 0
    status: str = "active"
    ends_at_renewal: bool = False
    planned: tuple[str, str] | None = None
    card_fails: bool = False
    failed_at: datetime | None = None

    def __post_init__(self):
        script = self.script
        self.plan, self.interval, self.anchor, self.periods = script.plan, script.interval, script.start, 1
        self.steps = sorted(script.steps)
        self.draft = None
        if script.trial_days:
            self.status, self.anchor = "trialing", script.start + timedelta(days=script.trial_days)
            self.begin, self.end, self.periods = script.start, self.anchor, 0
            self.bill("subscription_create", 0, script.start)
        else:
            self.begin, self.end = script.start, after_months(script.start, MONTHS[self.interval])
            self.bill("subscription_create", self.net(script.start), script.start)

    def until(self, moment):
        """Do everything that is due until a moment, in order; say whether that was anything."""
        done = 0
        while (due := min(self.next_moments(), key=lambda one: one[0]))[0] <= moment:
            due[1](due[0])
            done += 1
        return done > 0

    def next_moments(self):
        lives = self.status not in ("canceled",)
        yield (self.end if lives else self.script.start + FAR), self.renew
        yield (self.draft.created + HOUR if self.draft else self.script.start + FAR), self.finalize
        yield (self.failed_at + DUNNING if self.failed_at else self.script.start + FAR), self.give_up
        yield (self.script.moment(self.steps[0]) if self.steps else self.script.start + FAR), self.step

    # --- what is due ---
    def renew(self, at):
        if self.ends_at_renewal:
            self.status = "canceled"
            return
        if self.planned:
            plan, interval = self.planned
            if interval != self.interval:
                self.anchor, self.periods = at, 0
            self.plan, self.interval, self.planned = plan, interval, None
        self.status = "active" if self.status == "trialing" else self.status
        self.periods += 1
        self.begin, self.end = at, after_months(self.anchor, self.periods * MONTHS[self.interval])
        self.draft = Bill(0, "subscription_cycle", self.net(at), 0, 0, "draft", at)
        self.bills.append(self.draft)

    def finalize(self, at):
        draft, self.draft = self.draft, None
        self.number(draft)
        if self.card_fails and draft.due:
            draft.status, self.status = "open", "past_due"
            self.failed_at = self.failed_at or at
        else:
            draft.status, draft.paid = "paid", draft.due

    def give_up(self, at):
        self.status, self.failed_at = "canceled", None

    def step(self, at):
        _days, what, to = self.steps.pop(0)
        getattr(self, what)(at, to)

    # --- what a script may say ---
    def upgrade(self, at, to):
        """Now, for the rest of the period; another interval begins a period of its own."""
        left = Fraction(int((self.end - at).total_seconds()), int((self.end - self.begin).total_seconds()))
        total = floor(-self.net(at) * left)
        other_interval, (self.plan, self.interval) = to[1] != self.interval, to
        if other_interval:
            self.anchor, self.periods = at, 1
            self.begin, self.end = at, after_months(at, MONTHS[self.interval])
            total += self.net(at)
        else:
            total += floor(self.net(at) * left)
        self.bill("subscription_update", total, at)

    upgrade_there = upgrade

    def downgrade(self, at, to):
        self.planned = to

    def keep(self, at, to):
        self.planned = None

    def cancel(self, at, to):
        self.ends_at_renewal = True

    def resume(self, at, to):
        self.ends_at_renewal = False

    def break_card(self, at, to):
        self.card_fails = True

    def mend_card(self, at, to):
        """Another card, and what is open is paid with it."""
        self.card_fails, self.failed_at = False, None
        self.status = "active" if self.status == "past_due" else self.status
        for bill in self.bills:
            if bill.status == "open":
                bill.status, bill.paid = "paid", bill.due

    # --- money ---
    def bill(self, reason, total, at):
        made = Bill(0, reason, total, 0, 0, "paid", at)
        self.bills.append(made)
        self.number(made)
        made.paid = made.due

    def number(self, bill):
        """Opened: it has its number, and the balance is used before any money."""
        bill.number = 1 + sum(1 for one in self.bills if one.number)
        left = bill.total + self.balance
        bill.due, self.balance = (left, 0) if left >= SMALLEST else (0, left)

    def net(self, at):
        """What one whole period costs when it is billed at a moment."""
        whole, coupon = PRICES[self.plan, self.interval], self.script.coupon
        if coupon is None or not self.is_discounted(coupon, at):
            return whole
        return whole - min(whole, coupon.amount or whole * coupon.percent // 100)

    def is_discounted(self, coupon, at):
        if coupon.months is None:
            return True
        if coupon.months == 0:
            return not self.bills
        return at < after_months(self.script.start, coupon.months)

    # --- what follows from it ---
    def access(self, at):
        if self.status == "past_due":
            return self.plan if at < self.failed_at + GRACE else "free"
        return self.plan if self.status in ("active", "trialing") else "free"

    def mrr_micro(self):
        """A month's part of what recurs for good; coupons that end are not in it."""
        if self.status not in ("active", "past_due"):
            return 0
        whole, coupon = PRICES[self.plan, self.interval], self.script.coupon
        if coupon and coupon.months is None:
            whole -= min(whole, coupon.amount or whole * coupon.percent // 100)
        return round(Fraction(whole, MONTHS[self.interval]) * 10_000)


def after_months(anchor, count):
    """So many months after an anchor: the day is clamped to a short month's end, and comes back."""
    years, month = divmod(anchor.month - 1 + count, 12)
    year, month = anchor.year + years, month + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, calendar.monthrange(year, month)[1]))
