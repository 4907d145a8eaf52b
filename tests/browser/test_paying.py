"""A renewal that fails, in a real browser: the banner says so on every page, one button pays, and it is gone."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.support import shop

WORDS = {
    "en": ("did not go through", "Pay now", "Nothing is open", "Your bank wants you to confirm", "Confirm the payment"),
    "fr": (
        "n’a pas abouti", "Payer maintenant", "Rien n’est à payer", "Votre banque vous demande de confirmer",
        "Confirmer le paiement",
    ),
}  # fmt: skip
GOOD, FAILING, ASKING = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"
HOURS = 3600


class Stripe:
    """The local Stripe of the running product, as its Dashboard and its clock."""

    def __init__(self, product):
        self.base = product.addresses.chosen["STRIPE_API_BASE"]

    def call(self, method, path, **fields):
        key = {"Authorization": "Bearer sk_test_sandbox"}
        answer = httpx.request(method, f"{self.base}{path}", data=fields or None, headers=key, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def renew(self, customer, card):
        """Charge the next renewal to another card, on a clock that runs ahead."""
        method = self.call("POST", f"/v1/payment_methods/{card}/attach", customer=customer)["id"]
        [subscription] = self.call("GET", f"/v1/subscriptions?customer={customer}")["data"]
        self.call("POST", f"/v1/subscriptions/{subscription['id']}", default_payment_method=method)
        begin = {"frozen_time": str(int(shop.now().timestamp())), "customer": customer}
        clock = self.call("POST", "/v1/test_helpers/test_clocks", **begin)["id"]
        end = subscription["items"]["data"][0]["current_period_end"] + 2 * HOURS
        self.call("POST", f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=str(end))


@pytest.fixture
def owing(new_page, sign_up, running_product, request):
    """A page of somebody whose renewal failed, and the card that did it."""

    def go(language, card):
        email = f"{request.node.originalname}_{language}@example.org"
        page = new_page(locale="en-GB")
        sign_up(page, email)
        page.goto("/pricing/")
        premium = page.locator("form", has=page.locator('input[name="plan"][value="premium"]'))
        premium.get_by_role("button").first.click()
        fill_card(page)
        page.get_by_role("button", name=re.compile("^Pay|Subscribe")).click()
        expect(page.get_by_role("heading", name="Premium is on")).to_be_visible()
        ask = "SELECT a.stripe_customer_id FROM billing_billingaccount a JOIN accounts_user u ON u.id = a.owner_id"
        ((customer,),) = running_product.rows(f"{ask} WHERE u.email = %s", email)
        Stripe(running_product).renew(customer, card)
        late = f"{ask} WHERE u.email = %s AND a.delinquent_since IS NOT NULL"
        running_product.wait_for(lambda: running_product.rows(late, email), seconds=60)
        if language == "fr":
            page.goto("/pricing/")
            page.get_by_role("button", name="Français").click()
            expect(page.locator("html")).to_have_attribute("lang", "fr")
        return page

    return go


def fill_card(page):
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expiry").fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on the card").fill("Bea Browser")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_unpaid_bill_is_paid_by_the_one_button(owing, language):
    failed, pay, done, _asks, _confirm = WORDS[language]
    page = owing(language, FAILING)
    for path in ("/chat/", "/settings/plan/", "/pricing/"):
        page.goto(path)
        expect(page.get_by_text(failed)).to_be_visible()
    page.goto("/chat/")
    page.get_by_role("button", name=pay).click()
    page.wait_for_url("**/i/in_*")
    page.locator('input[name="number"]').fill("4242 4242 4242 4242")
    page.locator('input[name="expiry"]').fill("12 / 34")
    page.locator('input[name="cvc"]').fill("123")
    page.locator('input[name="name"]').fill("Bea Browser")
    page.locator("form", has=page.locator('input[name="number"]')).locator('button[type="submit"]').last.click()
    page.wait_for_load_state()
    page.goto("/billing/pay/")
    expect(page.get_by_role("heading", name=done)).to_be_visible()
    page.goto("/chat/")
    expect(page.get_by_text(failed)).to_have_count(0)


def test_a_bank_that_asks_is_answered_and_the_banner_is_gone(owing):
    _failed, _pay, done, asks, confirm = WORDS["en"]
    page = owing("en", ASKING)
    page.goto("/settings/plan/")
    expect(page.get_by_text(asks)).to_be_visible()
    page.get_by_role("button", name=confirm).click()
    page.wait_for_url("**/i/in_*")
    page.locator('button[name="use_saved"]').click()
    page.wait_for_url("**/3ds/**")
    page.get_by_role("button", name="Complete").click()
    page.wait_for_load_state()
    page.goto("/billing/pay/")
    expect(page.get_by_role("heading", name=done)).to_be_visible()
