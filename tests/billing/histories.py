"""One customer's life in any order: what they do, what the Dashboard does, what the network does, and time.

Every step is done for real: over HTTP to the sandbox, by its letters to our own address, and by the product's rules.
"""

import re
from contextlib import contextmanager, suppress
from datetime import timedelta

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apps.billing import catching_up, checkout, drift, leases, outbox, plan_changes, sync
from apps.billing.errors import PaymentsAway
from apps.billing.models import BillingAccount, ReadMark, StripeEvent
from apps.core.errors import CauserieError
from tests.billing import promises
from tests.support import jobs, shop

CARDS = {
    "good": "4242424242424242",
    "declined": "4000000000000002",
    "fails later": "4000000000000341",
    "asks": "4000002760003184",
    "disputed": "4000000000000259",
}
METHODS = ["pm_card_visa", "pm_card_mastercard", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"]
PLANS = ["premium", "premium_plus"]
INTERVALS = ["month", "year"]
ENDED = ("canceled", "incomplete_expired")
WEBHOOKS = ["webhook_drop", "webhook_duplicate", "webhook_stale", "webhook_signature", "webhook_version"]
CALLS = ["http_500", "http_409_lock", "timeout_before", "timeout_after"]
FEW = st.integers(1, 6)
numbers = iter(range(1_000_000))


class Life(RuleBasedStateMachine):
    """One account whose customer lives on a test clock from the first moment. `storm` is set by the test."""

    storm = None

    def __init__(self):
        super().__init__()
        self.stripe = self.storm.stripe
        self.now = shop.now().replace(microsecond=0) + timedelta(minutes=1)
        email = f"life-{next(numbers)}@example.org"
        clock = {"frozen_time": int(self.now.timestamp()), "email": email}
        answer = self.stripe.http.post("/_sandbox/api/clocks", json=clock)
        self.clock_id = answer.json()["id"]
        self.account = self.storm.account(email)

    def clock(self):
        """Time goes on while we look, too."""
        self.now += timedelta(milliseconds=1)
        return self.now

    @initialize(plan=st.sampled_from(PLANS), interval=st.sampled_from(INTERVALS), card=st.sampled_from(list(CARDS)))
    def begin(self, plan, interval, card):
        self.buy(plan, interval, card)

    # --- what the person does ---
    @rule(plan=st.sampled_from(PLANS), interval=st.sampled_from(INTERVALS), card=st.sampled_from(list(CARDS)))
    def buy(self, plan, interval, card):
        try:
            url = checkout.open_checkout(self.account, plan, interval, "usd", now=self.now)
        except CauserieError:  # has a plan already, or Stripe does not sell to them: nothing is opened
            return
        finally:
            self.account.refresh_from_db()
        if httpx.get(url).status_code == 200:
            with suppress(KeyError):
                self.go_to_the_bank(shop.pay(url, card=CARDS[card]).headers["Location"])

    def go_to_the_bank(self, url):
        if "/3ds/" in url:
            with httpx.Client() as browser:
                token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(url).text)[1]
                form = {"csrfmiddlewaretoken": token, "answer": "complete"}
                browser.post(url, data=form, headers={"Referer": url})

    @rule(plan=st.sampled_from(PLANS), interval=st.sampled_from(INTERVALS), goes_wrong=st.sampled_from(["", *CALLS]))
    def change_plan_here(self, plan, interval, goes_wrong):
        with suppress(CauserieError), self.faults_gone():
            change = plan_changes.offer(self.account, plan, interval, now=self.clock())
            if goes_wrong:
                self.stripe.fault(goes_wrong, count=2, match="/v1/subscription", seconds=0.01)
            plan_changes.agree(self.account, change.pk, clock=self.clock)

    @rule()
    def keep_the_plan_after_all(self):
        with suppress(CauserieError):
            plan_changes.keep(self.account, clock=self.clock)

    @rule()
    def come_back(self):
        """The page after paying looks for itself."""
        self.look(budget_s=3)

    # --- what is done at Stripe, in the portal or the Dashboard ---
    @rule(plan=st.sampled_from(PLANS), interval=st.sampled_from(INTERVALS), pays=st.sampled_from(["now", "pending"]))
    def change_plan(self, plan, interval, pays):
        one = self.alive()
        price = self.price(f"{plan}_{interval}_usd")
        if one is None or one["items"]["data"][0]["price"]["id"] == price:
            return
        how = {"pending": "pending_if_incomplete", "now": "allow_incomplete"}[pays]
        item = {"items[0][id]": one["items"]["data"][0]["id"], "items[0][price]": price}
        self.change(one, **item, payment_behavior=how, proration_behavior="always_invoice")

    @rule(answer=st.sampled_from(["true", "false"]))
    def cancel_at_the_end_or_not(self, answer):
        if one := self.alive():
            self.change(one, cancel_at_period_end=answer)

    @rule()
    def cancel_now(self):
        if one := self.alive():
            assert self.stripe.call("DELETE", f"/v1/subscriptions/{one['id']}").is_success

    @rule(behavior=st.sampled_from(["void", "keep_as_draft", ""]))
    def pause_collection(self, behavior):
        if one := self.alive():
            self.change(one, **{"pause_collection[behavior]" if behavior else "pause_collection": behavior})

    @rule(method=st.sampled_from(METHODS))
    def use_another_card(self, method):
        if self.is_customer():
            shop.use_card(self.stripe, self.account, method)

    @rule(part=st.integers(1, 4))
    def refund(self, part):
        mine = [one for one in self.stripe.objects("charge") if one["customer"] == self.account.stripe_customer_id]
        for charge in mine[:1]:
            left = charge["amount_captured"] - charge["amount_refunded"]
            if charge["paid"] and left // part:
                self.stripe.call("POST", "/v1/refunds", {"charge": charge["id"], "amount": str(left // part)})

    @rule(outcome=st.sampled_from(["", "won", "lost", "prevented"]))
    def dispute(self, outcome):
        """The bank asks for a payment back, or decides about the last one that it asked for."""
        kind, path = ("dispute", "disputes/{}/decide") if outcome else ("charge", "charges/{}/dispute")
        mine = [one for one in self.stripe.objects(kind) if self.is_mine(one)]
        if mine:
            address = f"/_sandbox/api/{path.format(mine[0]['id'])}"
            answer = self.stripe.http.post(address, json={"outcome": outcome} if outcome else {})
            assert answer.status_code in (200, 400), answer.text

    def is_mine(self, one):
        customer = self.account.stripe_customer_id
        if one["object"] == "dispute":
            charge = self.stripe.call("GET", f"/v1/charges/{one['charge']}").json()
            return charge.get("customer") == customer
        return one["customer"] == customer and one.get("paid", True)

    @rule()
    def pay_what_is_open(self):
        for one in self.stripe.objects("invoice"):
            if one["customer"] == self.account.stripe_customer_id and one["status"] == "open":
                self.stripe.call("POST", f"/v1/invoices/{one['id']}/pay")  # 402 is an answer, too

    @rule()
    def sell_something_else(self):
        """The Dashboard puts a Price on the subscription that nobody knows here."""
        if one := self.alive():
            odd = {"currency": "usd", "unit_amount": "700", "recurring[interval]": "month", "product_data[name]": "Odd"}
            price = self.stripe.call("POST", "/v1/prices", odd).json()["id"]
            self.change(one, **{"items[0][id]": one["items"]["data"][0]["id"], "items[0][price]": price})

    @precondition(lambda self: self.is_customer())
    @rule(sure=st.sampled_from([False, False, True]))
    def delete_the_customer(self, sure):
        if sure:
            self.stripe.call("DELETE", f"/v1/customers/{self.account.stripe_customer_id}")

    @rule(days=st.sampled_from([1, 4, 15, 31]))
    def wait(self, days):
        to = self.now + timedelta(days=days, hours=2)
        clock = f"/v1/test_helpers/test_clocks/{self.clock_id}"
        answer = self.stripe.call("POST", f"{clock}/advance", {"frozen_time": str(int(to.timestamp()))})
        assert answer.is_success, answer.text
        while self.stripe.call("GET", clock).json()["status"] == "advancing":
            continue
        self.now = to

    # --- what the network does ---
    @rule(count=FEW)
    def letters_arrive(self, count):
        self.stripe.deliver(count)

    @rule(kind=st.sampled_from(WEBHOOKS), count=FEW)
    def letters_go_wrong(self, kind, count):
        self.stripe.fault(kind, count=count, match=self.account.stripe_customer_id or "nobody")

    @rule(pick=st.integers(0, 1_000))
    def an_old_letter_comes_again(self, pick):
        letters = self.stripe.http.get("/_sandbox/api/deliveries").json()["deliveries"][:40]
        if letters:
            number = letters[pick % len(letters)]["id"]
            self.stripe.http.post(f"/_sandbox/api/deliveries/{number}/send", json={}, timeout=20)

    @rule(kind=st.sampled_from(CALLS), count=st.integers(1, 3), skip=st.sampled_from(["customers", "subscriptions"]))
    def look_while_stripe_is_in_trouble(self, kind, count, skip):
        self.stripe.fault(kind, count=count, match=f"/v1/{skip}", seconds=0.01)
        with suppress(PaymentsAway), self.faults_gone():
            self.look()

    @contextmanager
    def faults_gone(self):
        try:
            yield
        finally:
            self.storm.calm_down()

    # --- what our side does ---
    @rule()
    def nudges_are_lost(self):
        jobs.lose()

    @precondition(lambda self: leases.is_wanted(self.account.pk))
    @rule()
    def a_job_looks(self):
        self.look()

    @rule()
    def letters_and_orders_leave(self):
        outbox.send_due(clock=self.clock)

    @rule()
    def catch_up(self):
        ReadMark.objects.update(taken_at=None)
        catching_up.catch_up(clock=self.clock)

    @rule()
    def reconcile(self):
        drift.reconcile(self.account.pk, is_dry=False, clock=self.clock)
        self.account.refresh_from_db()

    def look(self, **options):
        sync.sync_customer(self.account.pk, clock=self.clock, **options)
        self.account.refresh_from_db()

    # --- what is so after every step ---
    @invariant()
    def promises_are_kept(self):
        promises.access_has_a_reason(self.account, now=self.now)
        promises.states_add_up(self.account)
        promises.snapshots_are_numbered(self.account)
        promises.more_than_one_plan_is_told(self.account)

    # --- and in the end ---
    def teardown(self):
        try:
            self.storm.calm_down()
            self.storm.deliver_all()
            jobs.lose()
            self.come_to_rest()
            promises.mirror_is_stripe(self.stripe, self.account)
            promises.second_look_writes_nothing(self.account, clock=self.clock)
            promises.paid_is_granted(self.account, now=self.now)
            promises.money_closes(self.stripe, self.account)
        finally:
            self.stripe.call("DELETE", f"/v1/test_helpers/test_clocks/{self.clock_id}")
            self.storm.deliver_all()
            StripeEvent.objects.all().delete()

    def come_to_rest(self):
        """One reconcile; what it asks of Stripe is done, and one more look sees that."""
        self.reconcile()
        outbox.send_due(clock=self.clock)
        self.look()
        assert not leases.is_wanted(self.account.pk)

    # --- small helps ---
    def alive(self):
        self.account.refresh_from_db()
        mine = self.storm.subscriptions(self.account) if self.account.stripe_customer_id else []
        return next((one for one in mine if one["status"] not in (*ENDED, "incomplete")), None)

    def is_customer(self):
        account = BillingAccount.objects.get(pk=self.account.pk)
        if account.stripe_customer_id is None:
            return False
        return "deleted" not in self.stripe.call("GET", f"/v1/customers/{account.stripe_customer_id}").json()

    def price(self, key):
        return next(one["id"] for one in self.stripe.objects("price") if one["lookup_key"] == key and one["active"])

    def change(self, subscription, **fields):
        """The Dashboard changes a subscription; Stripe may refuse."""
        answer = self.stripe.call("POST", f"/v1/subscriptions/{subscription['id']}", fields)
        assert answer.status_code in (200, 400, 402), answer.text
