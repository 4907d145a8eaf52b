"""Calls are held to Stripe's description, to the last nested key, and a wrong one is not forgotten."""

import pytest

from apps.stripe_sandbox import call_judge, specification
from tests.stripe_sandbox.conftest import make_customer
from tests.support.stripe import SPEC_FOLDER

pytestmark = pytest.mark.skipif(
    not specification.is_at_hand(SPEC_FOLDER),
    reason=f"Stripe's description of its API is not in {SPEC_FOLDER}; set STRIPE_SPEC_DIR",
)


@pytest.fixture(scope="module")
def judge():
    return call_judge.CallJudge(SPEC_FOLDER)


def said(objections):
    return [(each.code, each.param, each.message) for each in objections]


@pytest.mark.parametrize(
    ("method", "pattern", "raw"),
    [
        ("POST", "/v1/customers", {"metadata": {"any": "thing"}, "address": "", "preferred_locales": {"0": "fr"}}),
        ("POST", "/v1/prices", {"currency": "usd", "unit_amount": "800", "recurring": {"interval": "month"}}),
        ("GET", "/v1/events", {"created": {"gte": "5"}, "types": {"0": "invoice.paid"}, "limit": "100"}),
        ("GET", "/v1/events", {"created": "5"}),
        ("DELETE", "/v1/subscriptions/{}", {"invoice_now": "false", "prorate": "false"}),
        ("POST", "/v1/subscriptions/{}", {"trial_end": "now", "billing_cycle_anchor": {"type": "now"}}),
        ("POST", "/v1/billing/meter_events", {"event_name": "a", "payload": {"value": "1", "stripe_customer_id": "c"}}),
        ("POST", "/v2/billing/meter_events", {"event_name": "a", "payload": {"value": "1"}, "identifier": "i"}),
    ],
)
def test_has_nothing_against_what_stripe_takes(judge, method, pattern, raw):
    assert judge(method, pattern, raw) == []


@pytest.mark.parametrize(
    ("method", "pattern", "raw", "code", "param"),
    [
        ("POST", "/v1/customers", {"foo": "1"}, "parameter_unknown", "foo"),
        ("GET", "/v1/customers", {"created": {"since": "1"}}, "parameter_unknown", "created[since]"),
        ("POST", "/v1/subscriptions", {"items": {"0": {"plan_": "p"}}}, "parameter_unknown", "items[0][plan_]"),
        ("POST", "/v1/prices", {}, "parameter_missing", "currency"),
        (
            "POST",
            "/v1/prices",
            {"currency": "usd", "recurring": {"interval_count": "1"}},
            "parameter_missing",
            "recurring[interval]",
        ),
        ("POST", "/v1/prices", {"currency": "usd", "unit_amount": "much"}, None, "unit_amount"),
        ("POST", "/v1/prices", {"currency": "usd", "recurring": {"interval": "moon"}}, None, "recurring[interval]"),
        ("POST", "/v1/products", {"name": "A", "active": "yes"}, None, "active"),
        # Dahlia took it, Endive does not: the patch works for calls too.
        ("POST", "/v1/checkout/sessions", {"payment_method_types": {"0": "card"}}, "parameter_unknown", None),
        ("POST", "/v2/billing/meter_events", {"event_name": "a"}, "parameter_missing", "payload"),
        ("POST", "/v2/billing/meter_events", {"event_name": "a", "payload": {"value": 1}}, None, "payload[value]"),
        (
            "POST",
            "/v2/billing/meter_events",
            {"event_name": "a", "payload": {}, "timestamp": "1767225600"},
            None,
            "timestamp",
        ),
    ],
)
def test_objects_as_stripe_would(judge, method, pattern, raw, code, param):
    objections = judge(method, pattern, raw)
    assert [(each.code, each.param) for each in objections] == [(code, param or "payment_method_types")]
    assert param is None or param in str(objections[0])


def test_a_wrong_call_is_refused_and_stays_on_record_even_if_nobody_looks(sandbox, stripe):
    answer = sandbox.call("POST", "/v1/customers", {"shipping[phone]": "1"})
    assert (answer.status_code, sandbox.objects("customer")) == (400, [])
    found = sandbox.violations()
    assert [(each["side"], each["where"]) for each in found] == [("asked", "POST /v1/customers")] * len(found)
    with pytest.raises(AssertionError, match="shipping"):
        sandbox.require_no_violations()
    assert sandbox.violations() == []


def test_neither_emptying_nor_stopping_hides_a_wrong_call(sandbox):
    sandbox.call("POST", "/v1/customers", {"foo": "1"})
    with pytest.raises(AssertionError, match="Received unknown parameter: foo"):
        sandbox.empty()


def test_forgiving_a_call_forgives_no_answer(sandbox):
    sandbox.call("POST", "/v1/customers", {"foo": "1"})
    assert [each["problem"] for each in sandbox.forgive_calls()] == ["Received unknown parameter: foo"]
    assert sandbox.violations() == []


def test_what_only_the_sandbox_does_not_know_is_on_record_too(sandbox, stripe):
    customer = make_customer(stripe)
    answer = sandbox.call(
        "POST", f"/v1/customers/{customer.id}", {"cash_balance[settings][reconciliation_mode]": "manual"}
    )
    assert answer.json()["error"]["code"] == "parameter_unknown"
    assert [each["problem"] for each in sandbox.violations()] == [
        "Received unknown parameter: cash_balance (not known to the sandbox)"
    ]


def test_a_call_that_is_right_but_cannot_be_done_is_no_violation(sandbox, stripe):
    assert sandbox.call("GET", "/v1/customers/cus_x").status_code == 404
    assert sandbox.violations() == []
