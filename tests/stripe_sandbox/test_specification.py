"""Stripe's own description as the judge: that it judges, and that we accept nothing Stripe would not."""

import re

import pytest
import stripe.params as stripe_params

from apps.stripe_sandbox import specification
from tests.support.stripe import SPEC_FOLDER

pytestmark = pytest.mark.skipif(
    not specification.is_at_hand(SPEC_FOLDER),
    reason=f"Stripe's description of its API is not in {SPEC_FOLDER}; set STRIPE_SPEC_DIR",
)


@pytest.fixture(scope="module")
def judge():
    return specification.Judge(SPEC_FOLDER)


@pytest.fixture
def price(sandbox, premium):
    return sandbox.call("GET", f"/v1/prices/{premium.id}").json()


def test_the_patch_brings_the_description_to_our_version():
    spec = specification.load(SPEC_FOLDER)
    assert "/v1/subscriptions/{subscription}/pause" in spec["paths"]
    assert len(spec["paths"]) == 67


def test_accepts_what_the_sandbox_sends(judge, price):
    assert judge(price) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"current_period_end": 1}, "price: unknown key current_period_end"),
        (
            {
                "recurring": {
                    "interval": "month",
                    "interval_count": 1,
                    "usage_type": "licensed",
                    "aggregate_usage": "sum",
                }
            },
            "price: unknown key recurring.aggregate_usage",
        ),
        ({"type": "sometimes"}, '"sometimes" is not one of'),
        ({"unit_amount": "800"}, "unit_amount"),
    ],
)
def test_refuses_what_stripe_would_not_send(judge, price, change, problem):
    found = judge({**price, **change})
    assert len(found) >= 1
    assert any(problem in each for each in found)


def test_misses_what_is_required(judge, price):
    lacking = {key: value for key, value in price.items() if key != "billing_scheme"}
    assert any("billing_scheme" in each for each in judge(lacking))


# Operations of Stripe's that the published description, as it is kept, leaves out: what the official client takes.
OUTSIDE = {
    ("GET", "/v1/balance_transactions/{}"): "BalanceTransactionRetrieveParams",
    ("GET", "/v1/charges"): "ChargeListParams",
    ("POST", "/v1/disputes/{}/close"): "DisputeCloseParams",
    ("POST", "/v1/payment_intents/{}/cancel"): "PaymentIntentCancelParams",
    ("POST", "/v1/subscription_schedules/{}/cancel"): "SubscriptionScheduleCancelParams",
}


def allowed_by(operation):
    """The names that Stripe's description allows at the top of a call."""
    form = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
    query = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
    return query | set(form.get("schema", {}).get("properties", {}))


def test_every_operation_and_parameter_is_one_of_stripes(sandbox):
    spec = specification.load(SPEC_FOLDER)
    paths = {re.sub(r"{[^}]+}", "{}", path): operations for path, operations in spec["paths"].items()}
    operations = sandbox.http.get("/_sandbox/api/operations").json()["operations"]
    assert len(operations) >= 60
    for operation in operations:
        assert set(operation["parameters"]) - names_of(operation, paths) == set(), operation["pattern"]


def names_of(operation, paths):
    outside = OUTSIDE.get((operation["method"], operation["pattern"]))
    if outside:
        return set(getattr(stripe_params, outside).__annotations__)
    return allowed_by(paths[operation["pattern"]][operation["method"].lower()])
