"""The address to which Stripe delivers: 200 fast, 400 to anything else, 503 while the database is down."""

import json
import threading

import pytest
from celery import current_app
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some

from apps.billing import entitlements, inbox
from apps.billing.models import BillingAccount, StripeEvent
from tests import build, cast
from tests.support import shop
from tests.support.webhooks import body, post, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(account):
    BillingAccount.objects.update(stripe_customer_id="cus_1")
    return account


def wanted():
    return list(BillingAccount.objects.values_list("sync_wanted_seq", flat=True))


def test_answers_200_also_to_repeats(customer):
    raw = body()
    answers = [post(raw, sign(raw, at=shop.now())) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert wanted() == [1]


def test_says_400_and_nothing_else_to_forgeries(customer):
    raw = body()
    for signature in ("", "t=1,v1=00", sign(raw, at=shop.now(), secret="whsec_other"), sign(raw)):
        answer = post(raw, signature)
        assert (answer.status_code, answer.content) == (400, b"")
    huge = post(b" " * (inbox.LARGEST_BYTES + 1), sign(raw, at=shop.now()))
    assert huge.status_code == 400
    assert wanted() == [0]


def test_takes_posts_only(db):
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


# --- nothing that is signed breaks it ---
SCALARS = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=100)
JSON = some.recursive(SCALARS, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner))
PLACES = [
    *((name,) for name in ("id", "object", "type", "created", "livemode", "api_version", "data")),
    ("data", "object"), ("data", "previous_attributes"),
    *(("data", "object", name) for name in ("id", "object", "customer", "invoice", "charge", "payment", "parent")),
]  # fmt: skip
EASY = hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def changed(event, place, value):
    """The event with something else in one place."""
    *way, last = place
    inner = event
    for name in way:
        inner = inner[name]
    inner[last] = value
    return json.dumps(event).encode()


@EASY
@given(place=some.sampled_from(PLACES), value=JSON)
def test_an_event_with_anything_anywhere_is_kept_or_refused(customer, place, value):
    raw = changed(json.loads(body()), place, value)
    assert post(raw, sign(raw, at=shop.now())).status_code in (200, 400)


@EASY
@given(raw=some.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), signature=some.text())
def test_any_bytes_signed_or_not_are_refused(customer, raw, signature):
    header = signature.encode("latin-1", "ignore").decode("latin-1").translate({10: None, 13: None})
    assert [post(raw, header).status_code, post(raw, sign(raw, at=shop.now())).status_code] == [400, 400]
    assert not StripeEvent.objects.exists()
    assert wanted() == [0]


def test_an_event_that_goes_deep_is_refused(customer):
    for depth in (600, 100_000):
        raw = body(data={"object": "HERE"}).replace(b'"HERE"', b"[" * depth + b"]" * depth)
        assert post(raw, sign(raw, at=shop.now())).status_code == 400
    assert not StripeEvent.objects.exists()


# --- what may be down ---
@pytest.mark.django_db(transaction=True)
def test_a_database_that_gives_no_answer_is_no_reason_to_lose_an_event():
    build.account(owner=cast.ana(), stripe_customer_id="cus_1")
    raw, held, done = body(), threading.Event(), threading.Event()

    def hold():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE billing_stripeevent IN ACCESS EXCLUSIVE MODE")
            held.set()
            done.wait()
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        assert post(raw, sign(raw, at=shop.now())).status_code == 503
    finally:
        done.set()
        holder.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert (StripeEvent.objects.count(), wanted()) == (0, [0])
    assert post(raw, sign(raw, at=shop.now())).status_code == 200
    assert (StripeEvent.objects.count(), wanted()) == (1, [1])


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_counter_is_the_queue(monkeypatch):
    build.account(owner=cast.ana(), stripe_customer_id="cus_1")
    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:9/0")
    monkeypatch.setattr(current_app, "_pool", None)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    raw = body()
    assert post(raw, sign(raw, at=shop.now())).status_code == 200
    assert wanted() == [1]
