"""One sandbox process for the whole run, emptied before each test; what it sends is held to Stripe's description."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import stripe as stripe_library

from tests.support.stripe import start_sandbox

JANUARY = 1767225600  # 1 January 2026, 00:00 UTC
DAY = 86400


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory):
    sandbox = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(sandbox_process):
    sandbox_process.empty()
    yield sandbox_process
    sandbox_process.forgive_calls()  # these tests ask wrongly on purpose, and see what they are told
    sandbox_process.require_no_violations()


@pytest.fixture
def stripe(sandbox):
    """The official client, as the product would make it."""
    return client_for(sandbox)


def client_for(sandbox):
    addresses = {"api": sandbox.base, "meter_events": sandbox.base}
    return stripe_library.StripeClient(sandbox.secret_key, base_addresses=addresses, max_network_retries=0).v1


@pytest.fixture
def premium(stripe):
    """USD 8.00 a month."""
    return make_price(stripe, "Premium", 800)


@pytest.fixture
def premium_plus(stripe):
    """USD 40.00 a month."""
    return make_price(stripe, "Premium+", 4000)


@pytest.fixture
def clock(stripe):
    """A test clock that stands at 1 January 2026."""
    return Clock(stripe, stripe.test_helpers.test_clocks.create({"frozen_time": JANUARY}).id)


class Clock:
    def __init__(self, client, key):
        self.client, self.id = client, key

    @property
    def now(self):
        return self.client.test_helpers.test_clocks.retrieve(self.id).frozen_time

    def advance_to(self, moment):
        return self.client.test_helpers.test_clocks.advance(self.id, {"frozen_time": moment})

    def advance(self, *, days=0, hours=0):
        return self.advance_to(self.now + days * DAY + hours * 3600)


def make_price(client, name, amount, *, interval="month", currency="usd"):
    product = client.products.create({"name": name})
    fields = {"currency": currency, "unit_amount": amount, "product": product.id}
    return client.prices.create({**fields, "recurring": {"interval": interval}})


def make_customer(client, *, card="pm_card_visa", clock=None, **fields):
    """A customer with this card attached as the default, living on the clock if one is given."""
    if clock:
        fields["test_clock"] = clock.id
    customer = client.customers.create({"email": "ana@example.com", **fields})
    if card:
        use_card(client, customer.id, card)
    return customer


def use_card(client, customer, card):
    method = client.payment_methods.attach(card, {"customer": customer})
    client.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})
    return method


def subscribe(client, customer, *prices, **fields):
    return client.subscriptions.create({"customer": customer.id, "items": [{"price": p.id} for p in prices], **fields})


def event_types(client, **filters):
    """The types of what happened, oldest first."""
    return [event.type for event in client.events.list({"limit": 100, **filters}).auto_paging_iter()][::-1]


class Browser:
    """A browser without JavaScript: follows no redirect by itself, keeps cookies, sends forms with their token."""

    def __init__(self, language="en"):
        self.http = httpx.Client(headers={"Accept-Language": language}, verify=False)

    def get(self, address):
        return self.http.get(address)

    def submit(self, address, /, **fields):
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(address).text)[1]
        return self.http.post(address, data={"csrfmiddlewaretoken": token, **fields})

    def pay(self, address, number, **fields):
        card = {"number": number, "expiry": "12 / 34", "cvc": "123", "name": "Ana", "country": "FR", "postal_code": ""}
        return self.submit(address, **{**card, **fields})


@pytest.fixture
def browser():
    made = Browser()
    yield made
    made.http.close()


@pytest.fixture
def receiver():
    """A small HTTP server on this machine that keeps what it is sent; `answers` are used up, then 200."""
    made = Receiver()
    yield made
    made.stop()


class Receiver:
    def __init__(self):
        self.received, self.answers = [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append((self.headers["Stripe-Signature"], body))
                self.send_response(outer.answers.pop(0) if outer.answers else 200)
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
