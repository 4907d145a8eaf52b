"""F1–F5, F18–F22, F31: events come twice, late, out of order, forged, to the wrong place, or never."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import httpx
import pytest
from django.test import Client

from apps.billing import checkout, leases
from apps.billing.models import EntitlementSnapshot, StripeEvent, StripeOutbox, SubscriptionMirror, SubscriptionState
from tests.support import jobs, shop
from tests.support.storm import SECRET, plan_of

CREATED, UPDATED = "customer.subscription.created", "customer.subscription.updated"
TABLES = (SubscriptionMirror, SubscriptionState, EntitlementSnapshot)


def letters_of(storm, kind):
    """What was sent of one type, newest first: each with its number, for sending it again."""
    found = storm.stripe.http.get("/_sandbox/api/deliveries").json()["deliveries"]
    return [letter for letter in found if letter["type"] == kind]


def send_again(storm, letter):
    answer = httpx.post(f"{storm.stripe.base}/_sandbox/api/deliveries/{letter['id']}/send", json={})
    return answer.json()["answer_status"]


def rows():
    """What an event may change, and which letters are wanted."""
    wanted = list(StripeOutbox.objects.order_by("pk").values_list("key"))
    return [wanted, *(list(table.objects.order_by("pk").values()) for table in TABLES)]


def test_f01_the_same_event_twice_and_at_the_same_moment_has_one_effect(storm):
    account = storm.account("ana@example.org")
    storm.stripe.fault("webhook_duplicate", count=50)
    storm.buy(account)
    arrived = storm.settle()
    assert len(arrived) >= 2 * len({letter["event"] for letter in arrived})
    assert {letter["answer_status"] for letter in arrived} == {200}
    assert StripeEvent.objects.filter(customer=account.stripe_customer_id, type=CREATED).count() == 1
    before, letter, gate = rows(), letters_of(storm, CREATED)[0], Barrier(4)

    def deliver(_number):
        gate.wait()
        return send_again(storm, letter)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(deliver, range(4))) == [200] * 4
    assert jobs.work() == []
    assert rows() == before
    assert SubscriptionState.objects.count() == 1


def test_f02_an_event_that_overtakes_the_one_before_it_changes_nothing_of_the_outcome(storm):
    account = storm.account("ana@example.org")
    storm.buy(account)
    storm.stripe.fault("webhook_stale", count=20, match=UPDATED)  # what it tells is older than what is true
    shop.change(storm.stripe, storm.subscription(account)["id"], cancel_at_period_end="true")
    waiting = sorted(letters_of(storm, CREATED) + letters_of(storm, UPDATED), key=lambda letter: -letter["id"])
    assert waiting[0]["type"] == UPDATED
    assert [send_again(storm, letter) for letter in waiting] == [200] * len(waiting)  # the newest comes first
    jobs.work()
    paid = SubscriptionMirror.objects.get()
    assert (paid.status, paid.cancel_at_period_end) == ("active", True)
    before = rows()
    storm.settle()
    assert rows() == before


def test_f03_an_event_before_our_row_of_the_session_is_matched_by_its_customer(storm):
    account = storm.account("ana@example.org")
    url = checkout.open_checkout(account, "premium", "month", "usd", now=shop.now())
    account.refresh_from_db()
    account.checkout_attempts.all().delete()  # as if it were not committed yet
    shop.pay(url)
    storm.settle()
    assert plan_of(account) == "premium"


def test_f03_an_event_before_its_account_waits_for_it(storm):
    account = storm.account("ana@example.org")
    storm.buy(account)
    customer = account.stripe_customer_id
    type(account).objects.update(stripe_customer_id=None)
    storm.settle()
    assert plan_of(account) == "free"
    assert StripeEvent.objects.filter(customer=customer, state="stored").exists()
    type(account).objects.update(stripe_customer_id=customer)
    storm.catch_up()
    assert plan_of(account) == "premium"
    assert not StripeEvent.objects.filter(customer=customer, state="stored").exists()


def test_f04_the_browser_returns_before_the_webhook_and_is_told_the_truth(storm):
    account = storm.account("ana@example.org")
    back = storm.buy(account).headers["Location"]
    browser = Client()
    browser.force_login(account.owner)
    page = browser.get(back.removeprefix("http://testserver"))
    assert page.status_code == 200
    assert "Premium is on" in page.content.decode()
    assert not StripeEvent.objects.filter(customer=account.stripe_customer_id).exists()
    before = rows()
    storm.settle()
    assert rows() == before


def test_f05_a_webhook_that_never_comes_is_made_up_for(storm):
    account = storm.account("ana@example.org")
    with storm.lost():
        storm.buy(account)
        assert storm.settle() == []
    assert plan_of(account) == "free"
    storm.catch_up()
    assert plan_of(account) == "premium"
    assert StripeEvent.objects.filter(type=CREATED, customer=account.stripe_customer_id).count() == 1


@pytest.mark.parametrize("skew_s", [-290, 290])
def test_f18_a_clock_may_be_wrong_by_minutes_and_the_period_still_counts_by_ours(storm, skew_s):
    account = storm.account("ana@example.org")
    storm.stripe.fault("webhook_clock", count=50, seconds=skew_s)
    storm.buy(account)
    assert {letter["answer_status"] for letter in storm.settle()} == {200}
    assert plan_of(account) == "premium"


def test_f18_what_happens_on_a_test_clock_is_signed_in_real_time_and_told_by_stored_periods(storm):
    account = storm.bought("ana@example.org")
    at = storm.past_the_period(account)
    assert at > shop.now() + timedelta(days=27)
    assert not letters_waiting(storm)
    assert SubscriptionMirror.objects.get().current_period_end > at
    assert plan_of(account, at=at) == "premium"


def letters_waiting(storm):
    found = storm.stripe.http.get("/_sandbox/api/deliveries").json()["deliveries"]
    return [letter for letter in found if letter["state"] != "succeeded"]


def test_f19_an_old_webhook_replayed_is_refused_and_a_young_one_is_a_repeat(storm):
    account = storm.bought("ana@example.org")
    before, wanted, kept = rows(), account.sync_wanted_seq, StripeEvent.objects.count()
    storm.stripe.fault("webhook_clock", count=50, seconds=-301)
    shop.change(storm.stripe, storm.subscription(account)["id"], **{"metadata[note]": "old"})
    refused = storm.deliver()
    assert {letter["answer_status"] for letter in refused} == {400}
    assert send_again(storm, letters_of(storm, CREATED)[0]) == 200
    account.refresh_from_db()
    assert (account.sync_wanted_seq, StripeEvent.objects.count()) == (wanted, kept)
    assert rows() == before


def test_f20_while_a_secret_is_rolled_both_count_and_a_forged_one_never(storm, settings):
    account = storm.bought("ana@example.org")
    (endpoint,) = storm.stripe.objects("webhook_endpoint")
    rolled = httpx.post(f"{storm.stripe.base}/_sandbox/api/endpoints/{endpoint['id']}/roll", json={}).json()["secret"]
    subscription = storm.subscription(account)["id"]
    for number, secrets in enumerate(([SECRET], [rolled, SECRET], [rolled])):
        settings.STRIPE_WEBHOOK_SECRETS = secrets
        shop.change(storm.stripe, subscription, **{"metadata[number]": str(number)})
        assert {letter["answer_status"] for letter in storm.settle()} == {200}
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_neither"]
    kept = StripeEvent.objects.count()
    shop.change(storm.stripe, subscription, **{"metadata[number]": "forged"})
    assert {letter["answer_status"] for letter in storm.deliver()} == {400}
    assert StripeEvent.objects.count() == kept
    storm.stripe.shelf = None  # the next test begins with the first secret again
    settings.STRIPE_WEBHOOK_SECRETS = [rolled]


def test_f21_an_endpoint_at_another_version_is_accepted_and_its_payload_is_not_used(storm):
    account = storm.account("ana@example.org")
    storm.stripe.fault("webhook_version", count=50, version="2020-08-27")
    storm.buy(account)
    assert {letter["answer_status"] for letter in storm.settle()} == {200}
    assert StripeEvent.objects.filter(api_version="2020-08-27").exists()
    assert plan_of(account) == "premium"


def test_f22_an_event_of_real_money_is_answered_and_leaves_no_trace(storm):
    account = storm.account("ana@example.org")
    storm.stripe.fault("webhook_livemode", count=50)
    storm.buy(account)
    arrived = storm.settle()
    assert arrived
    assert {letter["answer_status"] for letter in arrived} == {200}
    assert not StripeEvent.objects.filter(customer=account.stripe_customer_id).exists()
    account.refresh_from_db()
    assert (account.sync_wanted_seq, plan_of(account)) == (0, "free")


def test_f31_a_task_that_is_lost_after_the_answer_is_found_by_the_counter(storm):
    account = storm.account("ana@example.org")
    storm.buy(account)
    assert {letter["answer_status"] for letter in storm.deliver()} == {200}
    assert jobs.lose() > 0
    assert jobs.work() == []
    assert leases.is_wanted(account.pk)
    assert plan_of(account) == "free"
    storm.catch_up()
    assert not leases.is_wanted(account.pk)
    assert plan_of(account) == "premium"
