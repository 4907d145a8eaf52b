"""Events from Stripe are hints: verified, stored once, and turned into the wish to look."""

import hashlib
import hmac
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from apps.billing import entitlements, inbox
from apps.billing.errors import ForgedEvent
from apps.billing.models import BillingAccount, StripeEvent, SubscriptionMirror
from tests import build, cast
from tests.build import NOW
from tests.support import shop

pytestmark = pytest.mark.django_db
SECRET = "whsec_tests"


def body(key="evt_1", customer="cus_1", kind="customer.subscription.updated", **fields):
    event = {
        "id": key,
        "object": "event",
        "type": kind,
        "created": int(NOW.timestamp()),
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": {"id": "sub_1", "object": "subscription", "customer": customer}},
    }
    return json.dumps({**event, **fields}).encode()


def sign(raw, *, at=NOW, secret=SECRET):
    stamp = int(at.timestamp())
    mac = hmac.new(secret.encode(), b"%d." % stamp + raw, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


@pytest.fixture
def customer(account):
    BillingAccount.objects.update(stripe_customer_id="cus_1")
    return account


def wanted():
    return list(BillingAccount.objects.values_list("sync_wanted_seq", flat=True))


def test_keeps_the_event_and_wants_a_look(customer):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    event = StripeEvent.objects.get()
    assert (event.pk, event.type, event.object_id) == ("evt_1", "customer.subscription.updated", "sub_1")
    assert (event.customer, event.received_at, event.state) == ("cus_1", NOW, "stored")
    assert event.payload == json.loads(raw)
    assert wanted() == [1]


def test_addresses_that_let_anybody_in_are_not_kept(customer):
    paid = {"id": "in_1", "object": "invoice", "customer": "cus_1", "hosted_invoice_url": "https://let.me/in"}
    lines = {"data": [{"id": "il_1", "url": "https://let.me/in"}]}
    raw = body(kind="invoice.paid", data={"object": {**paid, "lines": lines}})
    inbox.store(raw, sign(raw), now=NOW)
    assert "let.me" not in str(StripeEvent.objects.get().payload)
    assert StripeEvent.objects.get().payload["data"]["object"]["lines"]["data"][0]["id"] == "il_1"


def test_the_same_event_again_changes_nothing(customer):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    inbox.store(raw, sign(raw), now=NOW + timedelta(seconds=200))
    assert StripeEvent.objects.get().received_at == NOW
    assert wanted() == [1]


FORGERIES = {
    "another secret": lambda raw: (raw, sign(raw, secret="whsec_other")),
    "changed body": lambda raw: (raw + b" ", sign(raw)),
    "no signature": lambda raw: (raw, ""),
    "no time": lambda raw: (raw, sign(raw).partition(",")[2]),
    "no v1": lambda raw: (raw, sign(raw).partition(",")[0]),
    "a time that is no number": lambda raw: (raw, "t=soon,v1=00"),
    "a huge time": lambda raw: (raw, f"t={'9' * 400},v1=00"),
    "letters that are not ascii": lambda raw: (raw, "t=1772442000,v1=é"),
    "too old": lambda raw: (raw, sign(raw, at=NOW - timedelta(seconds=301))),
    "from the future": lambda raw: (raw, sign(raw, at=NOW + timedelta(seconds=301))),
    "not utf-8": lambda raw: (b"\xff\xfe", sign(b"\xff\xfe")),
    "not json": lambda raw: (b"{", sign(b"{")),
    "no object": lambda raw: (b"[1]", sign(b"[1]")),
    "no event": lambda raw: (b'{"object": "charge"}', sign(b'{"object": "charge"}')),
    "an event without data": lambda raw: (b'{"object": "event", "id": "x"}', sign(b'{"object": "event", "id": "x"}')),
    "too large": lambda raw: (b" " * (inbox.LARGEST_BYTES + 1), sign(b" " * (inbox.LARGEST_BYTES + 1))),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_refuses_what_is_not_stripes(customer, forgery):
    raw, signature = FORGERIES[forgery](body())
    with pytest.raises(ForgedEvent):
        inbox.store(raw, signature, now=NOW)
    assert not StripeEvent.objects.exists()
    assert wanted() == [0]


@pytest.mark.parametrize("skew_s", [-300, -1, 1, 300])
def test_a_clock_may_be_five_minutes_off(customer, skew_s):
    raw = body()
    inbox.store(raw, sign(raw, at=NOW + timedelta(seconds=skew_s)), now=NOW)
    assert wanted() == [1]


def test_the_largest_event_is_taken(customer):
    raw = body()
    raw += b" " * (inbox.LARGEST_BYTES - len(raw))
    inbox.store(raw, sign(raw), now=NOW)
    assert wanted() == [1]


def test_both_secrets_count_while_one_replaces_the_other(customer, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
    for number, secret in enumerate(settings.STRIPE_WEBHOOK_SECRETS):
        raw = body(key=f"evt_{number}")
        inbox.store(raw, sign(raw, secret=secret), now=NOW)
    assert wanted() == [2]


def test_without_secrets_nothing_is_taken(customer, settings):
    settings.STRIPE_WEBHOOK_SECRETS = []
    raw = body()
    with pytest.raises(ForgedEvent):
        inbox.store(raw, sign(raw), now=NOW)


def test_an_event_of_real_money_is_not_for_us(customer):
    raw = body(livemode=True)
    inbox.store(raw, sign(raw), now=NOW)
    assert not StripeEvent.objects.exists()
    assert wanted() == [0]


def test_a_type_nobody_knows_is_kept_all_the_same(customer):
    raw = body(kind="moon.landed", data={"object": {"id": "moon_1", "object": "moon"}})
    inbox.store(raw, sign(raw), now=NOW)
    assert StripeEvent.objects.get().state == "ignored"
    assert wanted() == [0]


def test_another_version_is_accepted(customer):
    raw = body(api_version="2020-01-01")
    inbox.store(raw, sign(raw), now=NOW)
    assert wanted() == [1]


def test_an_event_about_the_customer_itself(customer):
    raw = body(kind="customer.deleted", data={"object": {"id": "cus_1", "object": "customer"}})
    inbox.store(raw, sign(raw), now=NOW)
    assert wanted() == [1]


def test_a_thin_event_is_known_by_its_snapshot(customer):
    SubscriptionMirror.objects.create(
        stripe_subscription_id="sub_1", account=customer, status="active", currency="usd", started_at=NOW, synced_at=NOW
    )
    thin = {
        "id": "evt_thin",
        "object": "v2.core.event",
        "type": "v1.customer.subscription.updated",
        "created": "2026-03-02T09:00:00.000Z",
        "livemode": False,
        "snapshot_event": "evt_1",
        "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
    }
    for raw in (json.dumps(thin).encode(), body()):
        inbox.store(raw, sign(raw), now=NOW)
    event = StripeEvent.objects.get()
    assert (event.pk, event.type, event.customer) == ("evt_1", "customer.subscription.updated", "cus_1")
    assert wanted() == [1]


def test_an_event_that_came_before_its_account_waits_for_it(account):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    assert StripeEvent.objects.get().state == "stored"
    assert inbox.match_waiting(now=NOW) == 0
    BillingAccount.objects.update(stripe_customer_id="cus_1")
    assert inbox.match_waiting(now=NOW) == 1
    assert wanted() == [1]


def test_an_event_that_is_nobodys_waits_a_day(account):
    raw = body()
    inbox.store(raw, sign(raw), now=NOW)
    inbox.match_waiting(now=NOW + timedelta(hours=25))
    assert StripeEvent.objects.get().state == "ignored"


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_at_the_same_moment_are_one():
    account = build.account(owner=cast.ana(), stripe_customer_id="cus_1")
    raw, gate = body(), threading.Barrier(4)

    def deliver(_number):
        try:
            gate.wait()
            inbox.store(raw, sign(raw), now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(4)))
    account.refresh_from_db()
    assert StripeEvent.objects.count() == 1
    assert account.sync_wanted_seq == 1


# --- the address ---
def post(raw, signature):
    return Client(enforce_csrf_checks=True).post(
        "/billing/webhook", raw, content_type="application/json", headers={"Stripe-Signature": signature}
    )


def test_the_address_answers_200_also_to_repeats(customer):
    raw = body()
    answers = [post(raw, sign(raw, at=shop.now())) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert wanted() == [1]


def test_the_address_says_400_and_nothing_else_to_forgeries(customer):
    raw = body()
    for signature in ("", "t=1,v1=00", sign(raw, at=shop.now(), secret="whsec_other"), sign(raw)):
        answer = post(raw, signature)
        assert (answer.status_code, answer.content) == (400, b"")
    huge = post(b" " * (inbox.LARGEST_BYTES + 1), sign(raw, at=shop.now()))
    assert huge.status_code == 400
    assert wanted() == [0]


def test_the_address_takes_posts_only(db):
    assert Client().get("/billing/webhook").status_code == 405


def test_what_stripe_itself_sends_is_taken(published, account, live_server, settings):
    endpoint = published.call(
        "POST", "/v1/webhook_endpoints", {"url": f"{live_server.url}/billing/webhook", "enabled_events[0]": "*"}
    ).json()
    settings.STRIPE_WEBHOOK_SECRETS = [endpoint["secret"]]
    shop.buy(account)
    done = account.sync_wanted_seq
    letters = published.deliver_all()
    assert {letter["answer_status"] for letter in letters} == {200}
    assert {"checkout.session.completed", "customer.subscription.created"} <= {letter["type"] for letter in letters}
    account.refresh_from_db()
    assert account.sync_wanted_seq > done
    shop.look(account)
    assert not StripeEvent.objects.filter(state="stored").exists()
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"
    published.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
