"""The local Stripe from outside: clocks of its customers, its payment page, and what one would do in its Dashboard."""

import re
from datetime import datetime
from typing import Any

import httpx

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
GOOD, DECLINED = "4242424242424242", "4000000000000002"
SAVED_GOOD, SAVED_FAILING = "pm_card_visa", "pm_card_chargeCustomerFail"
SEE_OTHER, BAD_REQUEST, OK = 303, 400, 200
TIMEOUT_S = 60.0


class TillAway(Exception):
    """The local Stripe does not answer, or not as expected."""


class Till:
    """One connection to the local Stripe, for one worker."""

    def __init__(self, base: str, key: str) -> None:
        self._api = httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_S)
        self._browser = httpx.Client(base_url=base, timeout=TIMEOUT_S)
        self._clocks: dict[str, str] = {}

    def close(self) -> None:
        self._api.close()
        self._browser.close()

    def is_local(self) -> bool:
        """Whether this is our local Stripe, and works."""
        try:
            answer = self._browser.get("/_sandbox/api/health")
            return answer.status_code == OK and answer.json().get("ok") is True
        except (httpx.HTTPError, ValueError):
            return False

    def await_customer(self, email: str, at: datetime) -> None:
        """Let who will be made a customer with this address live on a quiet clock that stands at this moment.

        Repeat  what an interrupted try left is removed first.
        """
        body = {"frozen_time": int(at.timestamp()), "email": email, "quiet": True}
        answer = self._ask(self._browser, "POST", "/_sandbox/api/clocks", json=body)
        if answer.status_code == OK:
            self._ask(self._api, "DELETE", f"/v1/test_helpers/test_clocks/{answer.json()['id']}")
            self._ask(self._browser, "POST", "/_sandbox/api/clocks", json=body)

    def end_quiet(self) -> None:
        """Let what happens from now on be told to the product."""
        self._ask(self._browser, "POST", "/_sandbox/api/clocks/end-quiet", json={})

    def advance(self, customer: str, to: datetime) -> None:
        """Let time pass for a customer, with all that is due until then; nothing when it is that late already."""
        if customer not in self._clocks:
            self._clocks[customer] = self._get(f"/v1/customers/{customer}")["test_clock"]
        path, until = f"/v1/test_helpers/test_clocks/{self._clocks[customer]}", int(to.timestamp())
        if self._get(path)["frozen_time"] < until:
            self._post(f"{path}/advance", frozen_time=until)

    def pay(self, address: str, number: str, country: str) -> bool:
        """Fill in the payment page as a person without JavaScript; whether the card was taken."""
        page = self._ask(self._browser, "GET", address)
        form = {
            "csrfmiddlewaretoken": TOKEN.findall(page.text)[0],
            "number": number,
            "expiry": "12 / 34",
            "cvc": "123",
            "name": "Simulated person",
            "country": country,
            "postal_code": "75001",
        }
        answer = self._browser.post(address, data=form, headers={"Referer": address})
        return answer.status_code == SEE_OTHER

    def close_page(self, session: str) -> None:
        """Close a payment page that was left; nothing when it is closed."""
        if self._get(f"/v1/checkout/sessions/{session}")["status"] == "open":
            self._post(f"/v1/checkout/sessions/{session}/expire")

    def use_card(self, customer: str, subscription: str, card: str) -> None:
        """Have another card charged from now on."""
        method = self._post(f"/v1/payment_methods/{card}/attach", customer=customer)
        self._post(f"/v1/subscriptions/{subscription}", default_payment_method=method["id"])

    def pay_invoice(self, invoice: str) -> None:
        """Pay an open invoice; nothing when it was paid meanwhile."""
        if self._get(f"/v1/invoices/{invoice}")["status"] == "open":
            self._post(f"/v1/invoices/{invoice}/pay")

    def leave(self, subscription: str) -> None:
        """End a subscription with the period that is paid."""
        self._post(f"/v1/subscriptions/{subscription}", cancel_at_period_end="true")

    def change_plan(self, subscription: str, item: str, price: str, *, is_charged_now: bool) -> None:
        """Move a subscription to another price; what it costs more is charged now, what it costs less is credited."""
        proration = "always_invoice" if is_charged_now else "create_prorations"
        items = {"items[0][id]": item, "items[0][price]": price}
        self._post(f"/v1/subscriptions/{subscription}", proration_behavior=proration, **items)

    def _get(self, path: str) -> dict[str, Any]:  # Any: JSON of Stripe's
        answer: dict[str, Any] = self._ask(self._api, "GET", path).json()
        return answer

    def _post(self, path: str, **fields: object) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask(self._api, "POST", path, data=fields).json()
        return answer

    def _ask(self, client: httpx.Client, method: str, address: str, **given: Any) -> httpx.Response:  # noqa: ANN401 httpx's own
        try:
            answer = client.request(method, address, **given)
        except httpx.HTTPError as error:
            raise TillAway(f"{method} {address}: {type(error).__name__}") from error
        if answer.status_code >= BAD_REQUEST:
            raise TillAway(f"{method} {address}: {answer.status_code} {answer.text[:300]}")
        return answer
