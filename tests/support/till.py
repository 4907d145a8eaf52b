"""What people do in a browser where money changes hands: choose a plan, pay, replace a card."""

import re

from playwright.sync_api import expect

GOOD, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"
FAILS_LATER, ASKS_ALWAYS = "4000 0000 0000 0341", "4000 0027 6000 3184"


def choose(page, plan="premium"):
    """From the pricing page to the payment page."""
    page.goto("/pricing/")
    page.locator("form", has=page.locator(f'input[name="plan"][value="{plan}"]')).get_by_role("button").first.click()
    expect(page.get_by_label("Card number")).to_be_visible()


def fill_card(page, card):
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry").fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on the card").fill("Bea Browser")


def pay(page, card=GOOD):
    fill_card(page, card)
    page.get_by_role("button", name=re.compile(r"^Pay \S+$")).click()


def buy(page, product, plan="premium"):
    """From the pricing page to the page that says that the plan is on."""
    choose(page, plan)
    pay(page)
    page.wait_for_url(f"{product.url}/**")
    expect(page.get_by_role("heading", name=re.compile("is on$"))).to_be_visible()


def replace_card(page, product, card):
    """On the plan page, by the link that leads to Stripe and straight back."""
    page.goto("/settings/plan/")
    page.get_by_role("button", name="Replace card").click()
    fill_card(page, card)
    page.get_by_role("button", name="Save card").click()
    page.wait_for_url(re.compile("/3ds/|/settings/plan/$"))
    if "/3ds/" in page.url:
        page.get_by_role("button", name="Complete").click()
    page.wait_for_url(f"{product.url}/settings/plan/")
    expect(page.get_by_text(f"•••• {card[-4:]}")).to_be_visible()
