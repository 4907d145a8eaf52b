"""One key, one effect."""

import threading

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import make_customer, subscribe


def post(sandbox, key, path="/v1/customers", **fields):
    headers = {"Authorization": "Bearer sk_test_a", "Idempotency-Key": key}
    return sandbox.http.post(path, data=fields, headers=headers)


def test_the_same_call_again_gets_the_first_answer(sandbox):
    first, second = post(sandbox, "k1", name="Ana"), post(sandbox, "k1", name="Ana")
    assert "Idempotent-Replayed" not in first.headers
    assert (second.headers["Idempotent-Replayed"], second.text) == ("true", first.text)
    assert len(sandbox.objects("customer")) == 1


def test_another_call_under_the_key_is_refused(sandbox):
    post(sandbox, "k1", name="Ana")
    answer = post(sandbox, "k1", name="Ben")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")
    assert answer.json()["error"]["message"].startswith(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        "Try using a key other than 'k1'"
    )
    assert [customer["name"] for customer in sandbox.objects("customer")] == ["Ana"]


def test_refused_parameters_do_not_use_the_key_up(sandbox):
    assert post(sandbox, "k1", foo="1").status_code == 400
    assert post(sandbox, "k1", name="Ana").status_code == 200


def test_a_declined_card_is_repeated_too(sandbox, stripe):
    customer = make_customer(stripe, card=None)
    path = "/v1/payment_methods/pm_card_chargeDeclined/attach"
    first, second = (post(sandbox, "k1", path, customer=customer.id) for _ in range(2))
    assert (first.status_code, second.status_code, second.headers["Idempotent-Replayed"]) == (402, 402, "true")


def test_an_error_of_the_server_is_repeated_too(sandbox):
    sandbox.fault("http_500", match="/v1/customers")
    first, second = post(sandbox, "k1", name="Ana"), post(sandbox, "k1", name="Ana")
    assert (first.status_code, second.status_code, second.text) == (500, 500, first.text)
    assert sandbox.objects("customer") == []


def test_a_call_that_is_still_under_way_is_a_conflict(sandbox):
    sandbox.fault("slow", match="/v1/customers", ms=600)
    done = []
    first = threading.Thread(target=lambda: done.append(post(sandbox, "k1", name="Ana")))
    first.start()
    while not sandbox.health()["calls_under_way"]:
        assert first.is_alive()
    second = post(sandbox, "k1", name="Ana")
    first.join()
    assert (second.status_code, second.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert done[0].status_code == 200
    assert len(sandbox.objects("customer")) == 1


def test_delete_ignores_keys(sandbox, stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    headers = {"Authorization": "Bearer sk_test_a", "Idempotency-Key": "k1"}
    path = f"/v1/subscriptions/{subscription.id}"
    assert sandbox.http.delete(path, headers=headers).status_code == 200
    assert sandbox.http.delete(path, headers=headers).status_code == 404


def test_the_official_client_sees_its_own_error_class(stripe):
    stripe.customers.create({"name": "Ana"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe_library.IdempotencyError):
        stripe.customers.create({"name": "Ben"}, {"idempotency_key": "k1"})
