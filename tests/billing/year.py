"""A year of many subscriptions: scripts for all that people do, played at Stripe and by us, a month at a time."""

import itertools
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.billing import cancellation, entitlements, plan_changes, sync
from apps.billing.models import SubscriptionState
from tests.billing.expected import Coupon, Expected, Script, after_months
from tests.support import shop

STARTS = [
    datetime(2027, 1, 31, 10, tzinfo=UTC),
    datetime(2028, 2, 29, 8, 30, tzinfo=UTC),
    datetime(2027, 1, 15, tzinfo=UTC),
    datetime(2027, 3, 30, 23, 59, 59, tzinfo=UTC),
    datetime(2027, 10, 31, 12, tzinfo=UTC),
]
SETTLED = timedelta(hours=2)  # after a boundary, when the renewal is finalised and charged
ON_A_CLOCK = 3


def kinds(plan, interval):
    """Everything that people do with a plan, by a name: steps, days of trial, coupon."""
    up, down = ("premium_plus", interval), ("premium", interval)
    longer = (plan, "year")
    found = {
        "stays": ((), 0, None),
        "cancels": (((40, "cancel", None),), 0, None),
        "cancels and comes back": (((40, "cancel", None), (45, "resume", None)), 0, None),
        "tries first": ((), 14, None),
        "tries and leaves": (((5, "cancel", None),), 14, None),
        "a share off for good": ((), 0, Coupon(percent=25)),
        "an amount off once": ((), 0, Coupon(amount=300, months=0)),
        "a share off for three months": ((), 0, Coupon(percent=50, months=3)),
        "fails and recovers": (((20, "break_card", None), (after_the_end(interval), "mend_card", None)), 0, None),
        "fails for good": (((20, "break_card", None),), 0, None),
    }
    if plan == "premium":
        found["upgrades"] = ((70, "upgrade", up),), 0, None
        found["upgrades with a share off"] = ((70, "upgrade", up),), 0, Coupon(percent=25)
    else:
        found["downgrades"] = ((70, "downgrade", down),), 0, None
        found["is moved down at once"] = ((70, "upgrade_there", down),), 0, None
        found["downgrades and keeps it after all"] = ((70, "downgrade", down), (75, "keep", None)), 0, None
    if interval == "month":
        found["pays by the year from now"] = ((100, "upgrade", longer),), 0, None
    else:
        found["pays by the month from next year"] = ((100, "downgrade", (plan, "month")),), 0, None
    return found


def after_the_end(interval):
    """A day a few days after the first renewal failed, wherever the year began."""
    return {"month": 35, "year": 370}[interval]


# With these a short year begins: every change of plan, and money in both directions.
FIRST = [
    (("premium", "month"), "upgrades with a share off"),
    (("premium_plus", "month"), "is moved down at once"),
    (("premium", "month"), "upgrades"),
    (("premium_plus", "month"), "downgrades"),
    (("premium", "month"), "pays by the year from now"),
    (("premium_plus", "year"), "pays by the month from next year"),
    (("premium", "month"), "fails and recovers"),
    (("premium", "year"), "tries first"),
]


def scripts(count):
    """So many scripts: every kind with every plan and interval, in each currency and from each anchor in turn."""
    shapes = itertools.product(("premium", "premium_plus"), ("month", "year"))
    every = [*FIRST, *((shape, name) for shape in shapes for name in kinds(*shape) if (shape, name) not in FIRST)]
    for number in range(count):
        (plan, interval), name = every[number % len(every)]
        steps, trial_days, coupon = kinds(plan, interval)[name]
        start, currency = STARTS[number % len(STARTS)], ("usd", "eur")[number // len(STARTS) % 2]
        yield name, Script(plan, interval, currency, start, steps, trial_days, coupon)


def groups(count):
    """Scripts that may share a test clock: they begin at the same moment, three on each."""
    by_start = defaultdict(list)
    for name, script in scripts(count):
        by_start[script.start].append((name, script))
    for found in by_start.values():
        yield from (found[at : at + ON_A_CLOCK] for at in range(0, len(found), ON_A_CLOCK))


@dataclass
class Played:
    """One subscription of a group: what was written, what must be, and the account."""

    name: str
    script: Script
    expected: Expected
    account: object

    def __str__(self):
        one = self.script
        return f"{self.name}: {one.plan} by the {one.interval} in {one.currency} from {one.start:%d %b %Y}"


class Group:
    """Up to three subscriptions on one test clock."""

    def __init__(self, storm, number, members):
        self.storm, self.now = storm, members[0][1].start
        self.clock_id = self.ask("POST", "/v1/test_helpers/test_clocks", {"frozen_time": seconds(self.now)})["id"]
        self.members = [self.begin(f"year-{number}-{place}", *member) for place, member in enumerate(members)]

    def ask(self, method, path, data=None):
        answer = self.storm.stripe.call(method, path, data)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def begin(self, word, name, script):
        """Make somebody a customer and let them subscribe."""
        account = self.storm.account(f"{word}@example.org")
        fields = {"email": account.owner.email, "test_clock": self.clock_id, "metadata[account_id]": str(account.pk)}
        account.stripe_customer_id = self.ask("POST", "/v1/customers", fields)["id"]
        account.save(update_fields=["stripe_customer_id"])
        card = self.attach(account, "pm_card_visa")
        fields = {"customer": account.stripe_customer_id, "default_payment_method": card}
        fields["items[0][price]"] = self.storm.price(f"{script.plan}_{script.interval}_{script.currency}")
        if script.trial_days:
            fields["trial_period_days"] = str(script.trial_days)
        if script.coupon:
            fields["discounts[0][coupon]"] = self.coupon(script.coupon, script.currency)
        self.ask("POST", "/v1/subscriptions", fields)
        return Played(name, script, Expected(script), account)

    def attach(self, account, method):
        return self.ask("POST", f"/v1/payment_methods/{method}/attach", {"customer": account.stripe_customer_id})["id"]

    def coupon(self, coupon, currency):
        off = {"percent_off": coupon.percent} if coupon.percent else {"amount_off": coupon.amount, "currency": currency}
        duration = {None: {"duration": "forever"}, 0: {"duration": "once"}}.get(
            coupon.months, {"duration": "repeating", "duration_in_months": coupon.months}
        )
        return self.ask("POST", "/v1/coupons", {key: str(value) for key, value in {**off, **duration}.items()})["id"]

    # --- time ---
    def live(self, *, months):
        """Play the scripts; at the beginning and after each month, check everything."""
        self.check()
        looks = [after_months(self.now, number) + SETTLED for number in range(1, months + 1)]
        thorough = {*looks[5::6], looks[-1]}
        steps = [(one.script.moment(step), one, step) for one in self.members for step in one.script.steps]
        for at, one, step in sorted([*((at, None, None) for at in looks), *steps], key=lambda due: due[0]):
            if at > looks[-1]:
                break
            self.go_to(at)
            if step is None:
                self.check(looks_at_all=at in thorough)
            else:
                self.look(one)
                self.play(one, *step[1:])

    def go_to(self, moment):
        """Let time pass, a month at a time: a clock leaps over two periods at most."""
        while self.now < moment:
            self.now = min(moment, self.now + timedelta(days=28))
            path = f"/v1/test_helpers/test_clocks/{self.clock_id}"
            self.ask("POST", f"{path}/advance", {"frozen_time": seconds(self.now)})
            while self.ask("GET", path)["status"] == "advancing":
                continue

    def clock(self):
        return self.now

    def look(self, one):
        sync.want(one.account)
        assert sync.sync_customer(one.account.pk, clock=self.clock), str(one)
        one.account.refresh_from_db()

    # --- what people do, on our own pages ---
    def play(self, one, what, to):
        getattr(self, what)(one, to)
        one.expected.until(self.now)
        self.look(one)

    def upgrade(self, one, to):
        offered = plan_changes.offer(one.account, *to, now=self.now)
        plan_changes.agree(one.account, offered.pk, clock=self.clock)

    downgrade = upgrade

    def upgrade_there(self, one, to):
        """The Dashboard changes the plan, and charges or credits at once."""
        found = self.storm.subscription(one.account)
        item = {"items[0][id]": found["items"]["data"][0]["id"]}
        item["items[0][price]"] = self.storm.price(f"{to[0]}_{to[1]}_{one.script.currency}")
        self.ask("POST", f"/v1/subscriptions/{found['id']}", {**item, "proration_behavior": "always_invoice"})

    def keep(self, one, _to):
        plan_changes.keep(one.account, clock=self.clock)

    def cancel(self, one, _to):
        cancellation.cancel(one.account, "unused", "", clock=self.clock)

    def resume(self, one, _to):
        cancellation.resume(one.account, clock=self.clock)

    def break_card(self, one, _to):
        shop.use_card(self.storm.stripe, one.account, "pm_card_chargeCustomerFail")

    def mend_card(self, one, _to):
        shop.use_card(self.storm.stripe, one.account, "pm_card_visa")
        for invoice in one.account.invoices.filter(status="open"):
            self.ask("POST", f"/v1/invoices/{invoice.pk}/pay")

    # --- what must be ---
    def check(self, *, looks_at_all=True):
        """After each month; a look for those to whom something happened, as letters would cause it, or for all."""
        for one in self.members:
            if one.expected.until(self.now) or looks_at_all:
                self.look(one)
            self.check_bills(one)
            self.check_access(one)

    def check_bills(self, one):
        rows = one.account.invoices.order_by("created", "number")
        found = [
            (row.number[-4:], row.billing_reason, row.total_minor, row.amount_due_minor, row.amount_paid_minor,
             row.status, row.created)
            for row in rows
        ]  # fmt: skip
        wanted = [
            (f"{bill.number:04}", bill.reason, bill.total, bill.due, bill.paid, bill.status, bill.created)
            for bill in one.expected.bills
        ]
        assert found == wanted, f"{one} at {self.now}\nfound  {found}\nwanted {wanted}"
        assert {row.currency for row in rows} == {one.script.currency}

    def check_access(self, one):
        has = entitlements.plan_for(one.account, now=self.now).key
        state = SubscriptionState.objects.filter(account=one.account).latest("effective_at", "observed_at")
        found = has, state.mrr_micro, state.currency
        wanted = one.expected.access(self.now), one.expected.mrr_micro(), one.script.currency
        assert found == wanted, f"{one} at {self.now}: {found}, not {wanted}"


def seconds(moment):
    return str(int(moment.timestamp()))
