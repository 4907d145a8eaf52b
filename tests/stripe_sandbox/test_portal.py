"""What a customer does alone, without JavaScript."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import event_types, make_customer, subscribe, use_card

SHOP = "http://127.0.0.1:8000/billing/after-portal/"


def configure(stripe, *prices, **update):
    products = [{"product": price.product, "prices": [price.id]} for price in prices]
    switching = {"enabled": True, "default_allowed_updates": ["price"], "products": products}
    return stripe.billing_portal.configurations.create(
        {
            "features": {
                "customer_update": {"enabled": True, "allowed_updates": ["email"]},
                "invoice_history": {"enabled": True},
                "payment_method_update": {"enabled": True},
                "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
                "subscription_update": {**switching, "proration_behavior": "always_invoice", **update},
            }
        }
    )


@pytest.fixture
def person(stripe, premium, premium_plus):
    """A customer with Premium; the portal also offers Premium+."""
    configure(stripe, premium, premium_plus)
    customer = make_customer(stripe)
    subscribe(stripe, customer, premium)
    return customer


def enter(stripe, person, **fields):
    return stripe.billing_portal.sessions.create({"customer": person.id, "return_url": SHOP, **fields}).url


def subscription_of(stripe, person):
    return stripe.subscriptions.list({"customer": person.id, "status": "all"}).data[0]


def test_shows_plan_renewal_card_and_invoices(stripe, person, browser):
    page = browser.get(enter(stripe, person)).text
    for words in ("Premium", "$8.00 every month", "Renews on", "Visa ···· 4242", "Invoices", SHOP, "Sandbox money"):
        assert words in page


def test_cancels_at_the_periods_end_and_takes_it_back(stripe, person, browser):
    url = enter(stripe, person)
    assert browser.submit(url, action="cancel").status_code == 303
    after = subscription_of(stripe, person)
    assert (after.status, after.cancel_at_period_end) == ("active", True)
    assert "Ends on" in browser.get(url).text
    browser.submit(url, action="undo")
    assert subscription_of(stripe, person).cancel_at_period_end is False


def test_switches_plan_after_showing_what_it_costs(stripe, person, premium_plus, browser):
    url = enter(stripe, person)
    shown = browser.get(f"{url}?price={premium_plus.id}").text
    assert "Unused time on Premium after" in shown
    assert browser.submit(url, action="switch", price=premium_plus.id).status_code == 303
    after = subscription_of(stripe, person)
    assert after["items"].data[0].price.id == premium_plus.id
    invoice = stripe.invoices.retrieve(after.latest_invoice)
    assert (invoice.billing_reason, invoice.status) == ("subscription_update", "paid")


def test_refuses_a_plan_that_is_not_offered(stripe, person, premium, browser):
    hidden = stripe.prices.create(
        {"product": premium.product, "currency": "usd", "unit_amount": 1, "recurring": {"interval": "month"}}
    )
    answer = browser.submit(enter(stripe, person), action="switch", price=hidden.id)
    assert "This plan cannot be chosen." in answer.text
    assert subscription_of(stripe, person)["items"].data[0].price.id == premium.id


def test_a_cheaper_plan_waits_for_the_period_when_told_so(stripe, premium, premium_plus, clock, browser):
    waiting = {"conditions": [{"type": "decreasing_item_amount"}]}
    configure(stripe, premium, premium_plus, schedule_at_period_end=waiting)
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium_plus)
    browser.submit(enter(stripe, customer), action="switch", price=premium.id)
    planned = subscription_of(stripe, customer)
    assert planned["items"].data[0].price.id == premium_plus.id
    assert stripe.subscription_schedules.retrieve(planned.schedule).phases[1]["items"][0].price == premium.id
    assert "Changes to Premium on" in browser.get(enter(stripe, customer)).text
    clock.advance_to(subscription["items"].data[0].current_period_end + 3600)
    after = subscription_of(stripe, customer)
    assert after["items"].data[0].price.id == premium.id
    assert stripe.invoices.retrieve(after.latest_invoice).amount_paid == 800


def test_a_planned_switch_can_be_taken_back(stripe, premium, premium_plus, browser):
    waiting = {"conditions": [{"type": "decreasing_item_amount"}]}
    configure(stripe, premium, premium_plus, schedule_at_period_end=waiting)
    customer = make_customer(stripe)
    subscribe(stripe, customer, premium_plus)
    url = enter(stripe, customer)
    browser.submit(url, action="switch", price=premium.id)
    planned = subscription_of(stripe, customer).schedule
    assert browser.submit(url, action="keep").status_code == 303
    assert stripe.subscription_schedules.retrieve(planned).status == "released"
    assert subscription_of(stripe, customer).schedule is None


def test_replaces_the_card(stripe, person, browser):
    answer = browser.pay(enter(stripe, person), "5555555555554444", action="card")
    assert answer.status_code == 303
    method = stripe.payment_methods.retrieve(subscription_of(stripe, person).default_payment_method)
    assert method.card.last4 == "4444"
    assert stripe.customers.retrieve(person.id).invoice_settings.default_payment_method == method.id


def test_a_declined_card_replaces_nothing(stripe, person, browser):
    before = stripe.customers.retrieve(person.id).invoice_settings.default_payment_method
    answer = browser.pay(enter(stripe, person), "4000000000000002", action="card")
    assert "Your card was declined." in answer.text
    assert stripe.customers.retrieve(person.id).invoice_settings.default_payment_method == before


def test_a_3d_secure_card_asks_before_it_replaces(stripe, person, browser):
    url = enter(stripe, person)
    asked = browser.pay(url, "4000002500003155", action="card").headers["Location"]
    assert "/3ds/seti_" in asked
    assert subscription_of(stripe, person).default_payment_method is None
    assert browser.submit(asked, answer="complete").headers["Location"] == url
    method = stripe.payment_methods.retrieve(subscription_of(stripe, person).default_payment_method)
    assert method.card.last4 == "3155"


def test_a_flow_leads_straight_to_its_question_and_back_to_the_shop(stripe, person, browser):
    flow = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription_of(stripe, person).id},
        "after_completion": {"type": "redirect", "redirect": {"return_url": SHOP}},
    }
    url = enter(stripe, person, flow_data=flow)
    assert "Cancel Premium?" in browser.get(url).text
    assert browser.submit(url, action="cancel").headers["Location"] == SHOP
    assert subscription_of(stripe, person).cancel_at_period_end is True


def test_refuses_a_flow_for_someone_elses_subscription(stripe, person):
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": subscription_of(stripe, person).id}}
    stranger = make_customer(stripe, card=None)
    with pytest.raises(stripe_library.InvalidRequestError):
        enter(stripe, stranger, flow_data=flow)


def test_without_a_configuration_nobody_gets_in(stripe):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        enter(stripe, make_customer(stripe, card=None))
    assert "configuration" in refusal.value.user_message


def test_a_wrong_address_asks_to_start_again(sandbox, browser):
    answer = browser.get(f"{sandbox.base}/p/session/wrong")
    assert (answer.status_code, "Please start again" in answer.text) == (404, True)


def test_what_is_switched_off_cannot_be_done(stripe, premium, browser):
    stripe.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    customer = make_customer(stripe)
    subscribe(stripe, customer, premium)
    answer = browser.submit(enter(stripe, customer) + "?panel=cancel", action="cancel")
    assert "This cannot be done here." in answer.text
    assert subscription_of(stripe, customer).cancel_at_period_end is False
    assert "Switch plan" not in browser.get(enter(stripe, customer)).text


def test_configurations_can_be_changed_and_listed(stripe, premium):
    made = configure(stripe, premium)
    features = {"subscription_cancel": {"enabled": False}}
    after = stripe.billing_portal.configurations.update(made.id, {"features": features})
    assert (after.features.subscription_cancel.enabled, after.features.invoice_history.enabled) == (False, True)
    assert [each.id for each in stripe.billing_portal.configurations.list({"is_default": True}).data] == [made.id]
    assert event_types(stripe, type="billing_portal.session.created") == []


def test_a_refused_3d_secure_replaces_nothing_and_says_so(stripe, person, browser):
    url = enter(stripe, person)
    asked = browser.pay(url, "4000002500003155", action="card").headers["Location"]
    back = browser.submit(asked, answer="fail").headers["Location"]
    assert "We are unable to authenticate your payment method." in browser.get(back).text
    assert subscription_of(stripe, person).default_payment_method is None


def test_speaks_the_language_it_was_opened_for(stripe, person, browser):
    assert "Votre abonnement" in browser.get(enter(stripe, person, locale="fr")).text


def test_a_switch_that_cannot_be_paid_changes_nothing_and_says_so(
    sandbox, stripe, person, premium, premium_plus, browser
):
    use_card(stripe, person.id, "pm_card_chargeCustomerFail")
    answer = browser.submit(enter(stripe, person), action="switch", price=premium_plus.id)
    assert (answer.status_code, "Your card was declined." in answer.text) == (402, True)
    after = subscription_of(stripe, person)
    assert (after.status, after["items"].data[0].price.id) == ("active", premium.id)
    assert len(sandbox.objects("invoice")) == 1


def test_says_why_it_was_left(stripe, person, browser):
    configuration = stripe.billing_portal.configurations.list().data[0]
    reason = {"enabled": True, "options": ["too_expensive", "other"]}
    leaving = {"enabled": True, "mode": "at_period_end", "cancellation_reason": reason}
    stripe.billing_portal.configurations.update(configuration.id, {"features": {"subscription_cancel": leaving}})
    url = enter(stripe, person)
    page = browser.get(f"{url}?panel=cancel").text
    assert ("It is too expensive" in page, "Something is missing" in page) == (True, False)
    assert browser.submit(url, action="cancel", feedback="nonsense").status_code == 200
    assert subscription_of(stripe, person).cancel_at_period_end is False
    browser.submit(url, action="cancel", feedback="too_expensive", comment="Sorry")
    after = subscription_of(stripe, person)
    told = (after.cancellation_details.feedback, after.cancellation_details.comment, after.cancellation_details.reason)
    assert (after.cancel_at_period_end, told) == (True, ("too_expensive", "Sorry", "cancellation_requested"))


def test_a_flow_is_about_the_subscription_it_names(stripe, person, premium_plus, browser):
    first = subscription_of(stripe, person)
    subscribe(stripe, person, premium_plus)
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": first.id}}
    browser.submit(enter(stripe, person, flow_data=flow), action="cancel")
    assert stripe.subscriptions.retrieve(first.id).cancel_at_period_end is True
    assert subscription_of(stripe, person).cancel_at_period_end is False
