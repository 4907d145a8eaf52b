"""Stripe's own description as the judge: that it judges, and that we accept nothing Stripe would not."""

import pytest
from stripe import params as stripe_params
from stripe.params import billing as billing_params
from stripe.params.v2 import billing as v2_billing
from stripe.params.v2 import core as v2_core

from apps.stripe_sandbox import call_judge, specification, undescribed
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


# What is described by hand → what the official client takes there.
OUTSIDE = {
    ("GET", "/v1/balance_transactions/{}"): stripe_params.BalanceTransactionRetrieveParams,
    ("GET", "/v1/charges"): stripe_params.ChargeListParams,
    ("GET", "/v1/credit_notes/preview"): stripe_params.CreditNotePreviewParams,
    ("GET", "/v1/credit_notes/{}/lines"): stripe_params.CreditNoteListLinesParams,
    ("POST", "/v1/credit_notes/{}/void"): stripe_params.CreditNoteVoidCreditNoteParams,
    ("POST", "/v1/billing/meters/{}/deactivate"): billing_params.MeterDeactivateParams,
    ("POST", "/v1/billing/meters/{}/reactivate"): billing_params.MeterReactivateParams,
    ("POST", "/v1/disputes/{}/close"): stripe_params.DisputeCloseParams,
    ("GET", "/v1/invoice_payments/{}"): stripe_params.InvoicePaymentRetrieveParams,
    ("POST", "/v1/invoices/{}/mark_uncollectible"): stripe_params.InvoiceMarkUncollectibleParams,
    ("POST", "/v1/payment_intents/{}/cancel"): stripe_params.PaymentIntentCancelParams,
    ("POST", "/v1/subscription_schedules/{}/cancel"): stripe_params.SubscriptionScheduleCancelParams,
    ("POST", "/v1/subscriptions/{}/resume"): stripe_params.SubscriptionResumeParams,
    ("POST", "/v2/billing/meter_events"): v2_billing.MeterEventCreateParams,
    ("POST", "/v2/billing/meter_event_adjustments"): v2_billing.MeterEventAdjustmentCreateParams,
    ("POST", "/v2/core/event_destinations"): v2_core.EventDestinationCreateParams,
    ("GET", "/v2/core/event_destinations"): v2_core.EventDestinationListParams,
    ("GET", "/v2/core/event_destinations/{}"): v2_core.EventDestinationRetrieveParams,
    ("DELETE", "/v2/core/event_destinations/{}"): v2_core.EventDestinationDeleteParams,
    ("GET", "/v2/core/events"): v2_core.EventListParams,
    ("GET", "/v2/core/events/{}"): v2_core.EventRetrieveParams,
}


@pytest.mark.parametrize("operation", undescribed.REQUESTS)
def test_what_is_described_by_hand_is_what_the_official_client_takes(operation):
    named = undescribed.REQUESTS[operation]["properties"].keys()
    assert named - {"page"} - OUTSIDE[operation].__annotations__.keys() == set()


def test_every_operation_and_parameter_is_one_of_stripes(sandbox):
    schemas = call_judge.CallJudge(SPEC_FOLDER).schemas
    operations = sandbox.http.get("/_sandbox/api/operations").json()["operations"]
    assert len(operations) >= 60
    for operation in operations:
        described = schemas[operation["method"], operation["pattern"]]["properties"]
        assert set(operation["parameters"]) - described.keys() == set(), operation["pattern"]


def test_what_stripe_describes_is_not_described_again():
    judge = call_judge.CallJudge(SPEC_FOLDER)
    described = len(judge.schemas) - len(undescribed.REQUESTS)
    paths = specification.load(SPEC_FOLDER)["paths"]
    outdated = {("POST", "/v1/subscriptions/{}/resume")}  # the official client has an object where it has a word
    assert described == sum(len(operations) for operations in paths.values()) - len(outdated)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, None),
        ({"payload": {"value": 1}}, "payload.value"),
        ({"surprise": 1}, "unknown key surprise"),
        ({"timestamp": "now"}, "timestamp"),
    ],
)
def test_answers_of_the_second_version_are_judged_by_our_own_description(judge, change, problem):
    event = {
        "object": "v2.billing.meter_event",
        "created": "2026-01-01T00:00:00.000Z",
        "event_name": "tokens",
        "identifier": "i",
        "livemode": False,
        "payload": {"value": "1"},
        "timestamp": "2026-01-01T00:00:00.000Z",
    }
    found = judge({**event, **change})
    assert len(found) == (1 if problem else 0)
    assert problem is None or problem in found[0]
