"""The console, as a person uses it."""

from tests.stripe_sandbox.conftest import make_customer, subscribe


def test_shows_customers_events_and_deliveries(sandbox, stripe, premium, receiver, browser):
    stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    subscribe(stripe, make_customer(stripe), premium)
    sandbox.deliver()
    page = browser.get(f"{sandbox.base}/_sandbox").text
    for words in (
        "ana@example.com",
        "customer.subscription.created",
        "Stripe-Signature: t=",
        "arrived",
        "SANDBOX_SEED",
    ):
        assert words in page


def test_the_next_renewal_comes_at_a_click(sandbox, stripe, premium, browser):
    customer = make_customer(stripe)
    subscription = subscribe(stripe, customer, premium)
    console = f"{sandbox.base}/_sandbox"
    browser.get(console)
    token = browser.http.cookies["sandbox_csrf"]
    fields = {"customer": customer.id, "by": "renewal", "csrfmiddlewaretoken": token}
    assert browser.http.post(f"{console}/time", data=fields).status_code == 303
    after = stripe.subscriptions.retrieve(subscription.id)
    assert after.test_clock is not None
    assert [invoice.status for invoice in stripe.invoices.list({"customer": customer.id}).data] == ["paid", "paid"]


def test_a_letter_is_sent_again_at_a_click(sandbox, stripe, receiver, browser):
    stripe.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    stripe.customers.create({"name": "Ana"})
    number = sandbox.deliver()[0]["id"]
    console = f"{sandbox.base}/_sandbox"
    browser.get(console)
    fields = {"delivery": number, "csrfmiddlewaretoken": browser.http.cookies["sandbox_csrf"]}
    assert browser.http.post(f"{console}/send-again", data=fields).status_code == 303
    assert len(receiver.received) == 2


def test_clicks_need_their_token(sandbox, stripe, premium):
    customer = make_customer(stripe)
    answer = sandbox.http.post("/_sandbox/time", data={"customer": customer.id, "by": "month"})
    assert answer.status_code == 403
    assert stripe.customers.retrieve(customer.id).test_clock is None


def test_faults_are_armed_at_a_click(sandbox, browser):
    console = f"{sandbox.base}/_sandbox"
    browser.get(console)
    fields = {"kind": "http_500", "count": "2", "csrfmiddlewaretoken": browser.http.cookies["sandbox_csrf"]}
    browser.http.post(f"{console}/faults", data=fields)
    assert [fault["left"] for fault in sandbox.http.get("/_sandbox/api/faults").json()["faults"]] == [2]
