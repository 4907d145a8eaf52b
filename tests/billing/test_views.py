"""The pages of billing, as their owner, as mallory, and signed out."""

import re

import pytest
from django.test import Client

from apps.billing import entitlements, grants
from apps.billing.grants import Span
from apps.billing.models import BillingAccount, CheckoutAttempt, InvoiceMirror, SubscriptionMirror
from tests import build, cast
from tests.build import NOW
from tests.support import shop

pytestmark = pytest.mark.django_db
PREMIUM = {"plan": "premium", "interval": "month", "currency": "usd"}


def signed_in(person):
    tab = Client()
    tab.force_login(person)
    return tab


@pytest.fixture
def tab(ana):
    return signed_in(ana)


def text_of(answer):
    """What a person reads: without tags, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def card_of(answer, plan):
    """The part of the pricing page about one plan."""
    return re.search(rf'<section class="card[^>]*data-plan="{plan}".*?</section>', answer.content.decode(), re.S)[0]


# --- pricing ---
def test_everybody_sees_the_plans_and_their_limits_in_words(db):
    answer = Client().get("/pricing/")
    page = text_of(answer)
    assert answer.status_code == 200
    assert "$8 a month" in page
    assert "$40 a month" in page
    assert "20 messages every 3 hours and 80 a week with Causerie Small" in page
    assert "300 messages every 3 hours and 1,500 a week with Causerie Small" in page
    assert "Messages without limit with Causerie Small" in page
    assert "Causerie Large" not in page  # no back end here serves it


def test_models_that_are_served_are_sold(db, settings):
    settings.OPENAI_API_KEY = "sk-0"
    page = text_of(Client().get("/pricing/"))
    assert "100 messages every 3 hours and 500 a week with Causerie Large, then Causerie Small answers" in page


def test_a_year_and_euro_are_links(db):
    page = text_of(Client().get("/pricing/?interval=year&currency=eur"))
    assert "€84 a year" in page
    assert "€7 a month, paid once a year. You save €12." in page
    assert (
        'href="?interval=month&amp;currency=eur"'
        in Client().get("/pricing/?interval=year&currency=eur").content.decode()
    )


def test_nonsense_in_the_address_shows_the_first_choice(db):
    assert "$8 a month" in text_of(Client().get("/pricing/?interval=week&currency=<script>"))


def test_strangers_are_led_to_signing_up(db):
    card = card_of(Client().get("/pricing/"), "premium")
    assert 'href="/accounts/signup/?next=/pricing/"' in card
    assert "<form" not in card


def test_ana_sees_her_plan_and_a_button_for_each_other(tab):
    answer = tab.get("/pricing/")
    assert "Your plan" in card_of(answer, "free")
    assert "Get Premium" in card_of(answer, "premium")
    assert "Your plan" not in card_of(answer, "premium")


def test_ben_sees_his_plan_and_changes_on_our_own_page(published, tab, account):
    shop.buy(account)
    answer = tab.get("/pricing/?currency=eur")
    assert "Your plan" in card_of(answer, "premium")
    assert 'action="/settings/plan/change/"' in card_of(answer, "premium_plus")
    assert "<form" not in card_of(answer, "premium")
    assert 'action="/billing/checkout/"' not in answer.content.decode()
    assert "$8 a month" in text_of(answer)  # the currency of the first payment stays


def test_developers_see_what_a_million_tokens_cost(db, settings):
    settings.OPENAI_API_KEY = "sk-0"
    page = text_of(Client().get("/pricing/"))
    assert "Pay as you go" in page
    assert "Causerie Small $0.05 $0.15" in page
    assert "Causerie Large $0.40 $3.00 " in page
    assert 'href="/settings/keys/"' in Client().get("/pricing/").content.decode()


def test_where_nothing_is_sold_no_api_prices_stand(db, settings, tmp_path):
    path = tmp_path / "internal.toml"
    path.write_text(settings.CATALOGUE_PATH.read_text().replace('mode = "freemium"', 'mode = "internal"', 1))
    settings.CATALOGUE_PATH = path
    assert "Pay as you go" not in text_of(Client().get("/pricing/"))


def test_nothing_about_guests_or_attachments_is_advertised(db):
    page = text_of(Client().get("/pricing/"))
    assert "Guest" not in page
    assert "attach" not in page.lower()


def test_coming_back_without_paying_is_answered_calmly(tab):
    assert "Nothing was charged, and nothing has changed." in text_of(tab.get("/pricing/?canceled=yes"))


# --- checkout ---
def test_the_button_leads_to_stripe_and_nobody_keeps_the_address(published, tab):
    answer = tab.post("/billing/checkout/", PREMIUM)
    assert answer.status_code == 303
    assert answer["Location"].startswith(f"{published.base}/c/pay/")
    assert answer["Cache-Control"] == "no-store"


def test_the_browser_cannot_choose_a_price(published, tab):
    tab.post("/billing/checkout/", {**PREMIUM, "price": "price_cheap", "amount": "1", "unit_amount": "1"})
    assert published.objects("checkout.session")[0]["amount_total"] == 800


def test_a_form_from_elsewhere_is_refused(published, ana):
    foreign = Client(enforce_csrf_checks=True)
    foreign.force_login(ana)
    assert foreign.post("/billing/checkout/", PREMIUM).status_code == 403
    assert foreign.post("/billing/portal/").status_code == 403
    assert not CheckoutAttempt.objects.exists()


@pytest.mark.parametrize("plan", ["gold", "free", "guest", "developer"])
def test_what_is_not_on_sale_is_said_on_a_page(published, tab, plan):
    answer = tab.post("/billing/checkout/", {**PREMIUM, "plan": plan})
    assert answer.status_code == 400
    assert "This plan is not on sale." in text_of(answer)
    assert not CheckoutAttempt.objects.exists()


def test_stripe_being_away_is_said_on_a_page(published, tab, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = tab.post("/billing/checkout/", PREMIUM)
    assert answer.status_code == 503
    assert "Nothing was charged." in text_of(answer)


def test_after_paying_the_page_says_that_premium_is_on(published, tab, account):
    back = shop.pay(tab.post("/billing/checkout/", PREMIUM)["Location"])
    answer = tab.get(back.headers["Location"].removeprefix("http://testserver"))
    assert "Premium is on" in text_of(answer)
    assert 'http-equiv="refresh"' not in answer.content.decode()
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"


def test_coming_back_unpaid_says_so(published, tab, account):
    tab.post("/billing/checkout/", PREMIUM)
    answer = tab.get("/billing/after-checkout/?session_id=cs_test_of_somebody_else")
    assert "Nothing was paid" in text_of(answer)
    assert entitlements.plan_for(account, now=shop.now()).key == "free"


def test_while_stripe_is_silent_the_page_looks_again(published, tab, account, settings):
    shop.pay(tab.post("/billing/checkout/", PREMIUM)["Location"])
    base, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
    answer = tab.get("/billing/after-checkout/")
    assert "Confirming your payment" in text_of(answer)
    assert '<meta http-equiv="refresh" content="3">' in answer.content.decode()
    assert tab.get("/api/v1/billing/state").json()["is_confirming"] is True
    settings.STRIPE_API_BASE = base
    assert "Premium is on" in text_of(tab.get("/billing/after-checkout/"))


# --- my plan ---
def test_the_plan_page_of_who_pays_nothing(tab):
    page = text_of(tab.get("/settings/plan/"))
    assert "You pay nothing." in page
    assert "None yet." in page
    assert "Billing details" not in page


def test_the_plan_page_says_what_when_and_with_which_card(published, tab, account):
    shop.buy(account)
    answer = tab.get("/settings/plan/")
    page = text_of(answer)
    assert "$8 a month" in page
    assert re.search(r"Next payment \$8 on \d+ \w+ \d{4}", page)
    assert "good through 12/2034" in page
    assert "Visa •••• 4242" in page
    assert InvoiceMirror.objects.get().number in page
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")


def test_the_plan_page_says_what_was_bought_whatever_the_catalogue_says_today(tab, account, settings, tmp_path):
    build.subscription(account=account, now=NOW)
    text = (
        settings.CATALOGUE_PATH.read_text().replace("amount = 300", "amount = 30", 1).replace("chat-small", "chat-new")
    )
    path = tmp_path / "other.toml"
    path.write_text(text)
    settings.CATALOGUE_PATH = path
    page = text_of(tab.get("/settings/plan/"))
    assert "What your plan gives you" in page
    assert "300 messages every 3 hours and 1,500 a week with chat-small" in page
    assert "You have had these terms since 2 March 2026." in page


def test_the_plan_page_of_who_was_given_a_plan(tab, account):
    start, end = NOW, NOW.replace(year=2126)
    grants.give(account, "premium", Span(start, end), reason="an outage", by=None, now=NOW)
    page = text_of(tab.get("/settings/plan/"))
    assert "Premium was given to you until 2 March 2126. You pay nothing." in page
    assert "an outage" not in page
    grants.give(account, "premium_plus", Span(start), reason="an outage", by=None, now=NOW)
    assert "Premium+ was given to you. You pay nothing." in text_of(tab.get("/settings/plan/"))


def test_a_canceled_plan_says_when_it_ends(published, tab, account):
    shop.buy(account)
    shop.change(published, SubscriptionMirror.objects.get().pk, cancel_at_period_end="true")
    answer = tab.get("/billing/after-portal/", follow=True)
    assert answer.redirect_chain == [("/settings/plan/", 302)]
    assert "Ends on" in text_of(answer)
    assert "Next payment" not in text_of(answer)


def test_the_portal_and_invoices_open_for_their_owner(published, tab, account):
    shop.buy(account)
    invoice = InvoiceMirror.objects.get()
    for address in ("/billing/portal/", f"/billing/invoices/{invoice.pk}/"):
        answer = tab.post(address)
        assert (answer.status_code, answer["Cache-Control"]) == (303, "no-store")
        assert answer["Location"].startswith(published.base)


def test_mallory_sees_nothing_of_anas(published, account):
    shop.buy(account)
    invoice, stranger = InvoiceMirror.objects.get(), signed_in(cast.mallory())
    page = text_of(stranger.get("/settings/plan/"))
    assert "•••• 4242" not in page
    assert invoice.number not in page
    assert stranger.post(f"/billing/invoices/{invoice.pk}/").status_code == 404
    assert stranger.post("/billing/portal/").status_code == 409
    assert "Premium is on" not in text_of(stranger.get("/billing/after-checkout/"))
    assert stranger.get("/api/v1/billing/state").json()["plan"]["key"] == "free"
    assert BillingAccount.objects.count() == 2


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("post", "/billing/checkout/"),
        ("get", "/billing/after-checkout/"),
        ("post", "/billing/portal/"),
        ("get", "/billing/after-portal/"),
        ("post", "/billing/invoices/in_1/"),
        ("get", "/settings/plan/"),
    ],
)
def test_strangers_are_shown_the_door(db, method, address):
    answer = getattr(Client(), method)(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert not BillingAccount.objects.exists()


@pytest.mark.parametrize("address", ["/billing/checkout/", "/billing/portal/", "/billing/invoices/in_1/"])
def test_looking_changes_nothing(tab, address):
    assert tab.get(address).status_code == 405


def test_the_state_as_json(published, tab, account):
    shop.buy(account)
    state = tab.get("/api/v1/billing/state").json()
    assert (state["plan"], state["source"], state["status"]) == (
        {"key": "premium", "name": "Premium"},
        "subscription",
        "active",
    )
    assert state["card"] == {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}
    assert state["renewal"] == {"amount_minor": 800, "tax_minor": 0, "currency": "usd"}
    assert (state["change"], state["trial_ends_at"]) == (None, None)
    assert (state["ends_at"], state["is_confirming"]) == (None, False)
    assert state["limits"][0] == {"meter": "messages", "models": ["chat-small"], "amount": 300, "window_s": 10800}
    assert Client().get("/api/v1/billing/state").status_code in (401, 403)


def test_staff_look_at_the_mirrors_and_change_nothing(published, account):
    shop.buy(account)
    dana = signed_in(cast.dana())
    for table in (
        "billingaccount",
        "subscriptionmirror",
        "subscriptionstate",
        "invoicemirror",
        "stripeevent",
    ):
        assert dana.get(f"/admin/billing/{table}/", follow=True).status_code == 200
        assert dana.get(f"/admin/billing/{table}/add/").status_code == 403
    paid = SubscriptionMirror.objects.get()
    assert dana.post(f"/admin/billing/subscriptionmirror/{paid.pk}/change/", {"status": "canceled"}).status_code == 403
    assert dana.post(f"/admin/billing/subscriptionmirror/{paid.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_make_us_look_again(account):
    dana = signed_in(cast.dana())
    form = {"action": "look_at_stripe", "_selected_action": [str(account.pk)]}
    assert dana.post("/admin/billing/billingaccount/", form).status_code == 302
    account.refresh_from_db()
    assert account.sync_wanted_seq == 1
