"""What happens to one simulated subscriber, by the real rules and the local Stripe."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from apps.accounts.models import VisitDay
from apps.billing import entitlements
from apps.billing.models import BillingAccount, CheckoutAttempt, StripeOutbox
from apps.localdev.simulation import population, subscribers
from apps.localdev.simulation.stage import acts, guests, shop
from apps.localdev.simulation.stage.till import Till
from apps.localdev.simulation.subscribers import Act, Moment
from tests.localdev.simulated import SMALL

JOINED = datetime.fromisoformat("2025-12-05T08:00:00+00:00")
BOUGHT = JOINED + timedelta(days=1)
PERSON = replace(population.people(SMALL)[0], joined_at=JOINED, plan="premium", interval="month")


@pytest.fixture
def till(local_system, settings):
    made = Till(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY)
    yield made
    made.close()


@pytest.fixture
def guest(till):
    with acts.whole():
        return guests.join(PERSON, SMALL)


@pytest.fixture
def day():
    """A day on which the first card is taken."""
    return next(day for day in range(100) if subscribers.cards_of(PERSON, day, SMALL) == (False, True))


@pytest.fixture
def subscriber(guest, till, day):
    with acts.whole():
        shop.buy(guest, day, SMALL, till, now=BOUGHT)
    return guest


def test_who_joins_is_one_of_many_who_looked(guest):
    came = population.visitors_beside(PERSON, SMALL)
    found = {(row.day, row.page, row.source): row.visits for row in VisitDay.objects.all()}
    day = JOINED.date()
    assert found == {(day, "home", came.source): came.home, (day, "pricing", came.source): came.pricing}


def live(guest, act, at, till):
    """One thing happens to the subscription; its status afterwards, None once it ended."""
    with acts.whole():
        shop.carry_out(guest, guest.subscription(), Moment(at, act), till)
    found = guest.subscription()
    return found and found.status


def plan_of(guest, at):
    return entitlements.plan_for(guest.account, now=at).key


def renewal_of(guest):
    return guest.subscription().current_period_end + timedelta(hours=2)


def test_who_joins_has_agreed_then_and_an_address_that_is_theirs(guest):
    owner = guest.owner
    assert (owner.email, owner.date_joined) == ("sim-1121-000000@simulated.invalid", JOINED)
    assert [consent.answered_at for consent in owner.consents.all()] == [JOINED] * 3
    assert not owner.has_usable_password()
    assert guests.find(PERSON, SMALL).account == guest.account


def test_a_purchase_is_made_by_the_products_own_checkout_at_the_simulated_moment(subscriber):
    mirror = subscriber.subscription()
    assert (mirror.plan_id, mirror.status, mirror.started_at) == ("premium", "active", BOUGHT)
    assert subscriber.account.last_synced_at == BOUGHT + guests.PAYS_IN
    assert [attempt.state for attempt in CheckoutAttempt.objects.all()] == ["complete"]
    assert plan_of(subscriber, BOUGHT + guests.PAYS_IN) == "premium"


def test_the_running_product_is_told_of_nothing(subscriber, local_system):
    told = local_system.call("GET", "/v1/events?type=customer.*&limit=100").json()[
        "data"
    ]  # also of earlier tests' people
    theirs = subscriber.account.stripe_customer_id
    assert theirs not in {event["data"]["object"].get(key) for event in told for key in ("id", "customer")}
    assert not BillingAccount.objects.all().in_need_of_sync().exists()
    assert {letter.state for letter in StripeOutbox.objects.all()} == {"done"}


def test_a_purchase_begins_anew_where_a_killed_run_left_one_at_stripe(guest, till, local_system, day):
    class Killed(BaseException): ...

    def buy_and_be_killed():
        with acts.whole():
            shop.buy(guest, day, SMALL, till, now=BOUGHT)
            raise Killed

    with pytest.raises(Killed):
        buy_and_be_killed()
    guest.account.refresh_from_db()
    assert guest.account.stripe_customer_id is None
    with acts.whole():
        shop.buy(guest, day, SMALL, till, now=BOUGHT)
    left = local_system.call("GET", f"/v1/customers?email={guest.owner.email}").json()["data"]
    assert [one["id"] for one in left] == [guest.account.stripe_customer_id]


def test_a_declined_card_that_nobody_replaces_sells_nothing_and_closes_the_page(guest, till):
    days = range(1000)
    day = next(day for day in days if subscribers.cards_of(PERSON, day, SMALL) == (True, False))
    with acts.whole():
        shop.buy(guest, day, SMALL, till, now=BOUGHT)
    assert guest.subscription() is None
    assert [attempt.state for attempt in CheckoutAttempt.objects.all()] == ["expired"]
    assert plan_of(guest, BOUGHT + timedelta(days=1)) == "free"


def test_a_renewal_is_paid(subscriber, till):
    assert live(subscriber, Act.RENEW, renewal_of(subscriber), till) == "active"
    assert [invoice.status for invoice in subscriber.account.invoices.all()] == ["paid", "paid"]


def test_a_failed_renewal_is_recovered_by_another_card(subscriber, till):
    at = renewal_of(subscriber)
    assert live(subscriber, Act.RENEW_BADLY, at, till) == "past_due"
    assert subscriber.account.delinquent_since is not None
    assert live(subscriber, Act.MEND, at + timedelta(days=4), till) == "active"
    assert subscriber.account.delinquent_since is None
    assert list(subscriber.account.subscription_states.order_by("observed_at").values_list("cause", flat=True)) == [
        "checkout", "payment_failed", "recovered",
    ]  # fmt: skip


def test_a_failed_renewal_that_nobody_mends_ends_the_subscription(subscriber, till):
    at = renewal_of(subscriber)
    live(subscriber, Act.RENEW_BADLY, at, till)
    since = subscriber.account.delinquent_since
    assert live(subscriber, Act.LAPSE, since + subscribers.DUNNED_AFTER, till) is None
    assert subscriber.account.subscription_states.latest("observed_at").cause == "payment_failed"
    assert plan_of(subscriber, since + subscribers.DUNNED_AFTER) == "free"


def test_who_leaves_keeps_the_plan_until_the_paid_time_ends(subscriber, till):
    end = subscriber.subscription().current_period_end
    assert live(subscriber, Act.LEAVE, BOUGHT + timedelta(days=9), till) == "active"
    assert subscriber.subscription().cancel_at_period_end
    assert live(subscriber, Act.END, end + timedelta(minutes=5), till) is None
    assert subscriber.account.subscription_states.latest("observed_at").cause == "voluntary"


def test_a_larger_plan_is_charged_at_once_and_the_way_back_is_credited(subscriber, till):
    live(subscriber, Act.CHANGE, BOUGHT + timedelta(days=9), till)
    assert subscriber.subscription().plan_id == "premium_plus"
    assert subscriber.account.invoices.count() == 2
    live(subscriber, Act.CHANGE, BOUGHT + timedelta(days=12), till)
    assert subscriber.subscription().plan_id == "premium"
    assert subscriber.account.invoices.count() == 2


def test_who_left_may_come_back(subscriber, till, day):
    end = subscriber.subscription().current_period_end
    live(subscriber, Act.LEAVE, BOUGHT + timedelta(days=9), till)
    live(subscriber, Act.END, end + timedelta(minutes=5), till)
    customer = subscriber.account.stripe_customer_id
    with acts.whole():
        shop.buy(subscriber, day, SMALL, till, now=end + timedelta(days=20))
    assert subscriber.subscription().status == "active"
    assert subscriber.account.stripe_customer_id == customer
