"""The console, as a person uses it: without JavaScript, in English and French."""

import pytest

from tests.stripe_sandbox.conftest import Browser, make_customer, subscribe

PAGES = ("", "/customers", "/events", "/deliveries", "/clocks", "/prices", "/faults", "/violations")


@pytest.fixture
def console(sandbox, browser):
    return Console(sandbox, browser)


class Console:
    """The pages under `/_sandbox`: read one, or send a form with its token."""

    def __init__(self, sandbox, browser):
        self.base, self.browser = f"{sandbox.base}/_sandbox", browser

    def read(self, path=""):
        answer = self.browser.get(self.base + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path, **fields):
        self.read("/faults")
        token = self.browser.http.cookies["sandbox_csrf"]
        return self.browser.http.post(self.base + path, data={"csrfmiddlewaretoken": token, **fields})

    def act(self, action, key, **fields):
        return self.send("/dashboard", action=action, id=key, back="/_sandbox/customers", **fields)


@pytest.fixture
def subscription(stripe, premium):
    return subscribe(stripe, make_customer(stripe), premium)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_that_the_money_is_not_real_in_both_languages(sandbox, subscription, console, path):
    assert "Sandbox money" in console.read(path)
    french = Browser("fr")
    page = french.get(f"{sandbox.base}/_sandbox{path}").text
    french.http.close()
    assert '<html lang="fr">' in page
    assert "Sandbox money" not in page


@pytest.mark.parametrize("path", [*PAGES, "/customers/cus_x", "/time"])
def test_no_page_answers_under_another_host_name(sandbox, path):
    assert sandbox.http.get(f"/_sandbox{path}", headers={"Host": "sandbox.example.com"}).status_code == 400


@pytest.mark.parametrize("path", ["/customers/cus_x", "/events/evt_x", "/deliveries/9", "/objects/x"])
def test_what_is_not_there_is_said_on_a_page(sandbox, browser, path):
    answer = browser.get(f"{sandbox.base}/_sandbox{path}")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_the_overview_counts(subscription, console):
    page = console.read()
    assert "<b>1</b>live subscriptions" in page
    assert "SANDBOX_SEED=1" in page
    assert "customer.subscription.created" in page


def test_a_customer_is_found_by_a_part_of_their_address(stripe, console):
    make_customer(stripe, card=None, email="ana@example.com")
    make_customer(stripe, card=None, email="ben@example.com")
    page = console.read("/customers?q=ben")
    assert ("ben@example.com" in page, "ana@example.com" in page) == (True, False)


def test_a_customer_is_shown_with_all_that_is_theirs(stripe, subscription, console):
    page = console.read(f"/customers/{subscription.customer}")
    for words in ("$8.00 every month", "active", "visa ···· 4242", "Refund", "invoice.paid", "Delete this customer"):
        assert words in page


def test_long_lists_are_turned_page_by_page(stripe, console):
    for number in range(51):
        stripe.products.create({"name": str(number)})
    first = console.read("/events")
    assert first.count("product.created") == 50
    older = first.partition('<a href="?before=')[2].partition('"')[0]
    assert console.read(f"/events?before={older}").count("product.created") == 1


def test_events_are_narrowed_by_type_and_customer(stripe, subscription, console):
    other = make_customer(stripe)
    page = console.read(f"/events?type=customer.subscription&customer={subscription.customer}")
    assert page.count("<code>customer.subscription.created</code>") == 1
    assert "<code>customer.created</code>" not in page
    assert "subscription.created" not in console.read(f"/events?customer={other.id}")


def test_a_letter_is_shown_with_request_and_answer_and_sent_again(sandbox, stripe, receiver, console):
    stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    receiver.answers = [503]
    stripe.customers.create({"name": "Ana"})
    number = sandbox.deliver()[0]["id"]
    page = console.read(f"/deliveries/{number}")
    for words in ("Stripe-Signature: t=", "HTTP 503", "goes out at", "&quot;customer.created&quot;", "Send again"):
        assert words in page
    assert console.send("/send-again", delivery=number, back="/_sandbox/deliveries").status_code == 303
    assert len(receiver.received) == 2
    assert "arrived" in console.read(f"/deliveries/{number}")
    assert f"/deliveries/{number}" in console.read("/deliveries?state=succeeded")
    assert f"/deliveries/{number}" not in console.read("/deliveries?state=pending")


def test_an_event_is_shown_with_its_payload(sandbox, subscription, console):
    event = next(each for each in sandbox.objects("event") if each["type"] == "invoice.paid")
    page = console.read(f"/events/{event['id']}")
    assert "&quot;amount_paid&quot;: 800" in page


def test_the_next_renewal_comes_at_a_click(stripe, subscription, console):
    answer = console.send("/time", customer=subscription.customer, by="renewal", back="/_sandbox/clocks")
    assert (answer.status_code, answer.headers["Location"][-16:]) == (303, "/_sandbox/clocks")
    after = stripe.subscriptions.retrieve(subscription.id)
    invoices = stripe.invoices.list({"customer": subscription.customer}).data
    assert [invoice.status for invoice in invoices] == ["paid", "paid"]
    assert console.send("/time", clock=after.test_clock, by="day").status_code == 303
    assert "next renewal" in console.read("/clocks")


@pytest.mark.parametrize("fields", [{"by": "century"}, {"by": "renewal", "customer": "cus_x"}, {"clock": "clock_x"}])
def test_refuses_to_move_time_nobody_has(sandbox, subscription, console, fields):
    answer = console.send("/time", **{"customer": subscription.customer, **fields})
    assert answer.status_code in (400, 404)
    assert "That did not work" in answer.text
    assert sandbox.objects("test_helpers.test_clock") == []


def test_the_dashboard_is_played_at_a_click(sandbox, stripe, subscription, premium, premium_plus, console):
    charge = sandbox.objects("charge")[0]["id"]
    assert console.act("refund_charge", charge, amount="300").status_code == 303
    assert console.act("edit_subscription", subscription.id, price=premium_plus.id, quantity="2").status_code == 303
    assert console.act("archive_price", premium.id).status_code == 303
    assert console.act("dispute_charge", charge).status_code == 303
    assert "Win the dispute" in console.read(f"/customers/{subscription.customer}")
    assert console.act("win_dispute", sandbox.objects("dispute")[0]["id"]).status_code == 303
    assert stripe.charges.retrieve(charge).amount_refunded == 300
    assert stripe.subscriptions.retrieve(subscription.id)["items"].data[0].price.id == premium_plus.id
    assert stripe.prices.retrieve(premium.id).active is False
    assert stripe.disputes.list().data[0].status == "won"
    assert console.act("delete_customer", subscription.customer).status_code == 303
    assert stripe.customers.retrieve(subscription.customer).deleted is True


def test_a_new_secret_is_shown_once(stripe, receiver, console):
    endpoint = stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    assert "whsec_" in console.act("roll_secret", endpoint.id).text
    assert "whsec_" not in console.read("/deliveries") + console.read(f"/objects/{endpoint.id}")


def test_says_what_stripe_would_refuse(sandbox, subscription, console):
    answer = console.act("refund_charge", sandbox.objects("charge")[0]["id"], amount="9999")
    assert answer.status_code == 400
    assert "That did not work" in answer.text
    assert sandbox.objects("refund") == []


@pytest.mark.parametrize("back", ["https://example.com/", "//example.com", "/_sandbox.example", "/v1/account"])
def test_leads_back_to_the_console_only(subscription, console, back):
    answer = console.send("/time", customer=subscription.customer, by="day", back=back)
    assert answer.headers["Location"] == console.base


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/time", {"by": "month"}),
        ("/dashboard", {"action": "delete_customer"}),
        ("/faults", {"kind": "http_500", "count": "1"}),
        ("/violations", {}),
        ("/send-again", {"delivery": "1"}),
    ],
)
def test_clicks_need_their_token(sandbox, stripe, path, fields):
    customer = make_customer(stripe, card=None)
    answer = sandbox.http.post(f"/_sandbox{path}", data={"customer": customer.id, "id": customer.id, **fields})
    assert answer.status_code == 403
    assert stripe.customers.retrieve(customer.id).to_dict() == customer.to_dict()
    assert sandbox.http.get("/_sandbox/api/faults").json()["faults"] == []


def test_faults_are_armed_and_disarmed_at_a_click(sandbox, console):
    fields = {"kind": "webhook_delay", "count": "2", "match": "invoice.paid", "params": '{"seconds": 7}'}
    assert console.send("/faults", **fields).status_code == 303
    page = console.read("/faults")
    assert "invoice.paid" in page
    armed = sandbox.http.get("/_sandbox/api/faults").json()["faults"]
    assert [(fault["left"], fault["params"]) for fault in armed] == [(2, {"seconds": 7})]
    assert console.send("/faults", disarm=str(armed[0]["id"])).status_code == 303
    assert sandbox.http.get("/_sandbox/api/faults").json()["faults"] == []


@pytest.mark.parametrize(
    "wrong", [{"count": "0"}, {"kind": "nonsense"}, {"params": "{"}, {"params": "[1]"}, {"kind": "dashboard"}]
)
def test_a_fault_that_makes_no_sense_is_explained_at_its_field(sandbox, console, wrong):
    answer = console.send("/faults", **{"kind": "http_500", "count": "1", **wrong})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert sandbox.http.get("/_sandbox/api/faults").json()["faults"] == []


def test_violations_are_shown_and_forgotten(sandbox, console):
    sandbox.call("POST", "/v1/customers", {"foo": "1"})
    assert "Received unknown parameter: foo" in console.read("/violations")
    assert console.send("/violations").status_code == 303
    assert sandbox.violations() == []
