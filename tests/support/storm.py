"""Stripe in rough weather, the product's real webhook address, and workers that do their jobs when a test says so.

The weather shuffles and doubles letters by a seed; they leave when a test lets them, so that nobody sleeps.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.management import call_command

from apps.billing import catching_up, checkout, entitlements, tasks
from apps.billing.models import Plan, PlanVersion, Price, StripeEvent, SubscriptionMirror
from tests import build
from tests.support import jobs, shop
from tests.support.stripe import WEBHOOK_SECRET as SECRET
from tests.support.stripe import Sandbox, start_sandbox

SHELF = (Plan, PlanVersion, Price)
LOST = 400
SOME = 50  # letters that leave with one call


def start(directory, site_url, *, seed="1"):
    """Start a sandbox whose letters go to the product's own address."""
    server = start_sandbox(directory, weather="rough", seed=seed, webhook_url=f"{site_url}/billing/webhook")
    server.shelf = None
    return server


@dataclass
class Storm:
    """One test's world. `stripe` is the sandbox, for what happens on the other side."""

    stripe: Sandbox
    prices: dict[str, str] = field(default_factory=dict)

    def begin(self, settings):
        """Let the product talk to this Stripe; publish the catalogue there once."""
        settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = self.stripe.base, self.stripe.secret_key
        settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
        self.calm_down()
        if self.stripe.shelf is None:
            self.stripe.empty()
            call_command("catalogue", "apply", "--yes", stdout=shop.Quiet())
            self.stripe.shelf = [list(table.objects.all()) for table in SHELF]
            self.settle()
            StripeEvent.objects.all().delete()
            return
        for table, rows in zip(SHELF, self.stripe.shelf, strict=True):
            table.objects.bulk_create(rows)

    def end(self):
        """Leave no letter for the next test."""
        self.calm_down()
        self.deliver_all()
        jobs.lose()

    def calm_down(self):
        self.stripe.http.request("DELETE", "/_sandbox/api/faults", json={})

    def account(self, email):
        """The account of a new person."""
        return entitlements.account_for(build.person(email=email, name=email.partition("@")[0]), now=shop.now())

    def deliver_all(self):
        """Let every letter arrive that can; those that are refused again and again are given up."""
        for _ in range(LOST):
            if not self.stripe.deliver(SOME):
                return
        raise AssertionError("letters keep coming back")

    def deliver(self, limit=None):
        """Let letters arrive, in the order of the weather; what became of each."""
        return self.stripe.deliver(limit)

    def settle(self, rounds=20):
        """Let letters arrive and workers work until nothing is left to do; all letters that were delivered."""
        arrived = []
        for _ in range(rounds):
            letters = self.stripe.deliver()
            arrived += letters
            if not jobs.work() and not letters:
                return arrived
        raise AssertionError(f"it does not come to rest: {arrived[-1]}")

    def buy(self, account, plan="premium", *, interval="month", currency="usd", card=shop.GOOD):
        """Pay at the hosted page and close the browser: nobody returns, nobody looks. The page's last answer."""
        answer = shop.pay(checkout.open_checkout(account, plan, interval, currency, now=shop.now()), card=card)
        account.refresh_from_db()
        return answer

    def bought(self, email, plan="premium", **options):
        """An account that has bought a plan, with everything told and seen."""
        account = self.account(email)
        assert self.buy(account, plan, **options).status_code == 303
        self.settle()
        account.refresh_from_db()
        return account

    def act(self, path, **body):
        """Do what a bank or the Dashboard does, through the console's JSON."""
        answer = self.stripe.http.post(f"/_sandbox/api/{path}", json=body)
        assert answer.is_success, answer.text

    def subscription(self, account):
        """The one subscription of an account, as Stripe has it."""
        (found,) = self.subscriptions(account)
        return found

    def subscriptions(self, account):
        return shop.subscriptions_of(self.stripe, account)

    def price(self, key):
        """The id of the Price that is sold under a lookup key."""
        if key not in self.prices:
            self.prices |= {one["lookup_key"]: one["id"] for one in self.stripe.objects("price") if one["active"]}
        return self.prices[key]

    def pass_time(self, account, to):
        """Let time pass at Stripe, letters arrive and workers work."""
        shop.pass_time(self.stripe, account, to=to)
        self.settle()
        account.refresh_from_db()

    def past_the_period(self, account, *, hours=2):
        """Go to a moment after the end of the period, when the renewal was charged; that moment."""
        at = SubscriptionMirror.objects.get(account=account).current_period_end + timedelta(hours=hours)
        self.pass_time(account, at)
        return at

    def catch_up(self, *, at=None):
        """What beat asks for every minute, and what follows from it; at another moment, the sweeps alone.

        Jobs read the real clock, which is far behind a test clock that was moved.
        """
        if at is None:
            tasks.catch_up.apply(throw=True)
            jobs.work()
        else:
            catching_up.catch_up(clock=lambda: at)
            jobs.lose()

    @contextmanager
    def lost(self):
        """A spell in which no letter arrives, however often it is repeated."""
        self.stripe.fault("webhook_drop", count=LOST)
        yield
        self.calm_down()


def plan_of(account, *, at=None):
    """The key of the plan that an account may use at a moment."""
    return entitlements.plan_for(account, now=at or shop.now()).key
