"""The life of a plan in a real browser: up, declined, confirmed with the bank, down, undone, cancelled, resumed."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.support import till


@dataclass
class Words:
    """What the pages say in one language."""

    language: str
    change: str
    see: str
    due: str
    pay: str
    is_on: str
    cancel: str
    cancel_on: str
    ends: str
    resume: str
    goes_on: str


ENGLISH = Words(
    "en", "Change plan", "See what Premium+ costs, $40 a month", "To pay now", "Change now and pay", "Premium+ is on.",
    "Cancel plan", "Cancel on", "ends on", "Go on with Premium", "Your plan goes on.",
)  # fmt: skip
FRENCH = Words(
    "fr", "Changer de formule", "Voir le coût de Premium+, 40 $ par mois", "À payer maintenant",
    "Changer maintenant et payer", "Premium+ est activé.", "Résilier", "Résilier au", "prend fin le",
    "Continuer avec Premium", "Votre formule continue.",
)  # fmt: skip


@pytest.fixture
def subscriber(page, sign_up, running_product, request):
    """A page of someone who has just bought Premium."""
    sign_up(page, f"{name_of(request)}@example.org")
    till.buy(page, running_product)
    return page


def name_of(request):
    return re.sub(r"[^a-z]", "", request.node.name)


def speak(page, language):
    page.goto("/settings/profile/")
    page.locator("select[name=language]").select_option(language)
    page.locator("form", has=page.locator("select[name=language]")).get_by_role("button").first.click()
    expect(page.locator("html")).to_have_attribute("lang", re.compile(language))


def ask_for(page, plan, price):
    page.goto("/settings/plan/change/")
    page.get_by_role("button", name=f"See what {plan} costs, {price}").click()


@pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_an_upgrade_shows_what_it_costs_and_costs_what_it_shows(subscriber, running_product, request, words):
    speak(subscriber, words.language)
    subscriber.goto("/settings/plan/")
    subscriber.get_by_role("link", name=words.change).click()
    subscriber.get_by_role("button", name=words.see).click()
    expect(subscriber.get_by_text(words.due)).to_be_visible()
    button = subscriber.get_by_role("button", name=words.pay)
    shown = re.sub(r"[^\d]", "", button.inner_text())
    button.click()
    expect(subscriber.get_by_text(words.is_on)).to_be_visible()
    ((paid,),) = running_product.rows(
        "SELECT amount_paid_minor FROM billing_invoicemirror i JOIN billing_billingaccount a ON a.id = i.account_id"
        " JOIN accounts_user u ON u.id = a.owner_id WHERE billing_reason = 'subscription_update' AND u.email = %s",
        f"{name_of(request)}@example.org",
    )
    assert shown in (str(paid), str(paid // 100))


def test_a_declined_upgrade_leaves_the_plan_until_another_card_pays(subscriber, running_product):
    till.replace_card(subscriber, running_product, till.FAILS_LATER)
    ask_for(subscriber, "Premium+", "$40 a month")
    subscriber.get_by_role("button", name="Change now and pay").click()
    expect(subscriber.get_by_role("heading", name="Your change is not paid yet")).to_be_visible()
    expect(subscriber.get_by_text("Your card was declined.")).to_be_visible()
    change = subscriber.url
    subscriber.goto("/settings/plan/")
    expect(subscriber.get_by_role("heading", name="Premium", exact=True)).to_be_visible()
    subscriber.get_by_role("link", name="Finish the change").click()
    subscriber.get_by_role("button", name="Pay the invoice").click()
    till.pay(subscriber)
    expect(subscriber.get_by_text(re.compile("Paid|paid")).first).to_be_visible()
    subscriber.goto(change)
    expect(subscriber.get_by_text("Premium+ is on.")).to_be_visible()


def test_a_declined_upgrade_is_dropped_in_one_click(subscriber, running_product):
    till.replace_card(subscriber, running_product, till.FAILS_LATER)
    ask_for(subscriber, "Premium+", "$40 a month")
    subscriber.get_by_role("button", name="Change now and pay").click()
    subscriber.get_by_role("button", name="Drop this change").click()
    expect(subscriber.get_by_text("The change to Premium+ is dropped. Nothing was charged")).to_be_visible()
    expect(subscriber.get_by_role("heading", name="Premium", exact=True)).to_be_visible()
    expect(subscriber.get_by_role("link", name="Change plan")).to_be_visible()


def test_a_bank_that_asks_is_answered_on_stripes_page(subscriber, running_product):
    till.replace_card(subscriber, running_product, till.ASKS_ALWAYS)
    ask_for(subscriber, "Premium+", "$40 a month")
    subscriber.get_by_role("button", name="Change now and pay").click()
    expect(subscriber.get_by_text("Your bank wants you to confirm this payment.")).to_be_visible()
    change = subscriber.url
    subscriber.get_by_role("button", name="Confirm the payment").click()
    subscriber.get_by_role("button", name=re.compile("with the card ending in 3184")).click()
    subscriber.get_by_role("button", name="Complete").click()
    subscriber.goto(change)
    expect(subscriber.get_by_text("Premium+ is on.")).to_be_visible()


def test_less_is_planned_and_undone(page, sign_up, running_product):
    sign_up(page, "planner@example.org")
    till.buy(page, running_product, "premium_plus")
    ask_for(page, "Premium", "$8 a month")
    expect(page.get_by_text("You keep what you have paid for")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Change on")).click()
    expect(page.get_by_text(re.compile("you change to Premium, \\$8 a month"))).to_be_visible()
    page.get_by_role("button", name="Keep Premium+").click()
    expect(page.get_by_text("The planned change is off.")).to_be_visible()
    expect(page.get_by_role("link", name="Change plan")).to_be_visible()


@pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_cancelling_is_two_clicks_and_taking_it_back_is_one(subscriber, words):
    speak(subscriber, words.language)
    subscriber.goto("/settings/plan/")
    subscriber.get_by_role("link", name=words.cancel, exact=True).click()
    subscriber.locator("input[name=reason][value=unused]").check()
    subscriber.get_by_role("button", name=words.cancel_on).click()
    expect(subscriber.get_by_text(words.ends).first).to_be_visible()
    subscriber.get_by_role("button", name=words.resume).click()
    expect(subscriber.get_by_text(words.goes_on)).to_be_visible()
    expect(subscriber.get_by_role("link", name=words.change)).to_be_visible()


def test_what_is_cancelled_in_the_portal_is_resumed_on_our_page(subscriber, running_product):
    subscriber.goto("/settings/plan/")
    subscriber.get_by_role("button", name="Billing details").click()
    subscriber.get_by_role("link", name="Cancel plan").click()
    subscriber.get_by_role("button", name="Cancel plan").click()
    subscriber.goto("/billing/after-portal/")
    expect(subscriber.get_by_text("Premium ends on").first).to_be_visible()
    subscriber.get_by_role("button", name="Go on with Premium").click()
    expect(subscriber.get_by_text("Your plan goes on.")).to_be_visible()
