"""The pages where a plan changes, as their owner, as mallory, and signed out."""

import re

import pytest
from django.test import Client

from apps.billing import entitlements
from apps.billing.models import BillingAccount, PlanChange, SubscriptionMirror
from tests import build, cast
from tests.support import shop

pytestmark = pytest.mark.django_db
CHANGE, CANCEL = "/settings/plan/change/", "/settings/plan/cancel/"
PLUS = {"plan": "premium_plus", "interval": "month"}


@pytest.fixture
def tab(ana):
    tab = Client()
    tab.force_login(ana)
    return tab


@pytest.fixture
def subscribed(published, account):
    shop.buy(account)
    return published


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def paid():
    return SubscriptionMirror.objects.get()


# --- changing ---
def test_the_page_lists_every_other_plan_and_when_it_begins(subscribed, tab):
    page = text_of(tab.get(CHANGE))
    assert "You have Premium, $8 a month." in page
    assert "Premium $84 a year Starts now." in page
    assert "Premium+ $40 a month Starts now." in page
    assert page.count("See what it costs") == 3


def test_less_says_from_when(published, tab, account):
    shop.buy(account, "premium_plus")
    assert re.search(
        r"Premium \$8 a month From \d+ \w+ \d{4}, when your current plan is used up\.", text_of(tab.get(CHANGE))
    )


def test_choosing_shows_the_bill_and_agreeing_pays_it(subscribed, tab):
    chosen = tab.post(CHANGE, PLUS)
    change = PlanChange.objects.get()
    assert (chosen.status_code, chosen["Location"]) == (302, f"{CHANGE}{change.pk}/")
    page = text_of(tab.get(chosen["Location"]))
    assert "Unused time on Premium, until" in page
    assert "Premium+ from now until" in page
    assert re.search(r"To pay now \$[\d.]+ Then on \d+ \w+ \d{4} \$40 ", page)
    assert "Charged to Visa •••• 4242." in page
    agreed = tab.post(chosen["Location"], follow=True)
    assert [path for path, _status in agreed.redirect_chain] == [chosen["Location"], "/settings/plan/"]
    assert "Premium+ is on." in text_of(agreed)
    assert paid().plan_id == "premium_plus"


def test_the_browser_cannot_choose_an_amount(subscribed, tab):
    chosen = tab.post(CHANGE, {**PLUS, "price": "price_cheap", "amount": "1", "proration_date": "1"})
    before = PlanChange.objects.get().quote
    tab.post(chosen["Location"], {"amount": "1", "due_minor": "1"})
    charged = max(one["amount"] for one in subscribed.objects("charge"))
    assert charged >= before["due_minor"] > 3000


def test_a_declined_card_leads_to_the_page_that_mends_it(subscribed, tab, account):
    shop.use_card(subscribed, account, "pm_card_chargeCustomerFail")
    chosen = tab.post(CHANGE, PLUS)
    page = text_of(tab.post(chosen["Location"], follow=True))
    assert "Your change is not paid yet Your card was declined." in page
    assert "Nothing was charged: you still have Premium." in page
    change = PlanChange.objects.get()
    answer = tab.post(f"/billing/invoices/{change.invoice_id}/")
    assert (answer.status_code, answer["Cache-Control"]) == (303, "no-store")
    assert "Finish the change" in text_of(tab.get("/settings/plan/"))


def test_a_planned_change_is_shown_and_undone(published, tab, account):
    shop.buy(account, "premium_plus")
    chosen = tab.post(CHANGE, {"plan": "premium", "interval": "month"})
    assert "You keep what you have paid for: Premium+ stays until" in text_of(tab.get(chosen["Location"]))
    page = text_of(tab.post(chosen["Location"], follow=True))
    assert "You change to Premium on" in page
    assert "you change to Premium, $8 a month." in page
    state = tab.get("/api/v1/billing/state").json()
    assert state["change"]["kind"] == "planned"
    assert state["change"]["plan"] == {"key": "premium", "name": "Premium"}
    assert "The planned change is off." in text_of(tab.post("/settings/plan/keep/", follow=True))
    assert tab.get("/api/v1/billing/state").json()["change"] is None


def test_what_stands_in_the_way_is_said_where_it_is_mended(subscribed, tab):
    SubscriptionMirror.objects.update(cancel_at_period_end=True)
    answer = tab.post(CHANGE, PLUS, follow=True)
    assert answer.redirect_chain == [(CHANGE, 302)]
    assert text_of(answer).count("Your plan is going to end. Resume it first; then you can change it.") >= 1
    assert not PlanChange.objects.exists()


def test_the_plan_one_has_leads_back_to_it(subscribed, tab):
    answer = tab.post(CHANGE, {"plan": "premium", "interval": "month"}, follow=True)
    assert "This is the plan you have." in text_of(answer)


def test_what_is_not_on_sale_is_refused(subscribed, tab):
    assert tab.post(CHANGE, {"plan": "gold", "interval": "month"}).status_code == 400
    assert not PlanChange.objects.exists()


def test_who_pays_nothing_is_led_to_the_plans(tab):
    assert tab.get(CHANGE)["Location"] == "/pricing/"
    assert tab.post(CHANGE, PLUS).status_code == 409
    assert tab.get(CANCEL)["Location"] == "/settings/plan/"


def test_an_unanswered_change_looks_again_by_itself(subscribed, tab, settings):
    chosen = tab.post(CHANGE, PLUS)
    PlanChange.objects.update(state="agreed", agreed_at=shop.now())
    answer = tab.get(chosen["Location"])
    assert "Confirming your change" in text_of(answer)
    assert '<meta http-equiv="refresh" content="3">' in answer.content.decode()


# --- cancelling ---
def test_cancelling_says_until_when_and_keeps_the_reason(subscribed, tab):
    page = text_of(tab.get(CANCEL))
    assert "You keep Premium until" in page
    assert "Afterwards you are on Free" in page
    answer = tab.post(CANCEL, {"reason": "too_expensive", "words": " A pity. "}, follow=True)
    assert "Your plan ends on" in text_of(answer)
    change = PlanChange.objects.get()
    assert (change.kind, change.state, change.feedback, change.comment) == (
        "cancel",
        "done",
        "too_expensive",
        "A pity.",
    )
    kept = next(one for one in subscribed.objects("subscription") if one["id"] == paid().pk)
    assert kept["cancel_at_period_end"] is True
    assert kept["cancellation_details"]["feedback"] == "too_expensive"
    assert kept["cancellation_details"]["comment"] == "A pity."
    assert entitlements.plan_for(BillingAccount.objects.get(), now=shop.now()).key == "premium"


def test_nobody_must_say_why(subscribed, tab):
    tab.post(CANCEL, {})
    assert (paid().cancel_at_period_end, PlanChange.objects.get().feedback) == (True, "")


def test_an_unknown_reason_cancels_nothing(subscribed, tab):
    assert tab.post(CANCEL, {"reason": "revenge"}).status_code == 200
    assert not PlanChange.objects.exists()
    assert paid().cancel_at_period_end is False


def test_going_on_is_one_click(subscribed, tab):
    tab.post(CANCEL, {})
    assert tab.get(CANCEL)["Location"] == "/settings/plan/"
    page = text_of(tab.post("/settings/plan/resume/", follow=True))
    assert "Your plan goes on." in page
    assert "Next payment" in page
    assert (paid().cancel_at_period_end, paid().cancel_at) == (False, None)


def test_an_end_by_date_is_taken_back_too(subscribed, tab, account):
    end = int(paid().current_period_end.timestamp()) - 3600
    shop.change(subscribed, paid().pk, cancel_at=str(end))
    shop.look(account)
    assert paid().cancel_at is not None
    tab.post("/settings/plan/resume/")
    assert paid().cancel_at is None


def test_cancelling_takes_a_planned_change_with_it(published, tab, account):
    shop.buy(account, "premium_plus")
    chosen = tab.post(CHANGE, {"plan": "premium", "interval": "month"})
    tab.post(chosen["Location"])
    shop.look(account)
    assert "The change that is planned will not happen either." in text_of(tab.get(CANCEL))
    tab.post(CANCEL, {})
    assert (paid().cancel_at_period_end, paid().has_schedule, paid().plan_id) == (True, False, "premium_plus")


def test_what_goes_on_cannot_be_resumed(subscribed, tab):
    assert "Your plan has changed meanwhile." in text_of(tab.post("/settings/plan/resume/", follow=True))
    assert not PlanChange.objects.exists()


# --- the plan page ---
def test_a_card_that_ends_before_the_next_payment_is_warned_of(tab, account):
    build.stripe_subscription(account=account)
    end = shop.now().replace(year=2031, month=3)
    SubscriptionMirror.objects.update(
        card_brand="visa", card_last4="4242", card_exp_month=2, card_exp_year=2031, current_period_end=end
    )
    warning = "This card ends before your next payment."
    assert warning in text_of(tab.get("/settings/plan/"))
    SubscriptionMirror.objects.update(card_exp_month=3)
    assert warning not in text_of(tab.get("/settings/plan/"))


def test_replacing_the_card_leads_straight_there_and_back(subscribed, tab):
    answer = tab.post("/billing/portal/", {"task": "card"})
    assert (answer.status_code, answer["Cache-Control"]) == (303, "no-store")
    session = subscribed.objects("billing_portal.session")[0]
    assert session["flow"]["type"] == "payment_method_update"
    assert session["flow"]["after_completion"]["redirect"]["return_url"] == "http://testserver/billing/after-portal/"


def test_an_invoice_can_be_had_as_a_file(subscribed, tab, account):
    invoice = account.invoices.get()
    answer = tab.post(f"/billing/invoices/{invoice.pk}/file/")
    assert (answer.status_code, answer["Cache-Control"]) == (303, "no-store")
    assert answer["Location"].startswith(subscribed.base)


def test_the_pages_speak_french(subscribed, tab, ana):
    tab.cookies["django_language"] = "fr"
    assert "Changer de formule" in text_of(tab.get(CHANGE))
    assert "Résilier Premium" in text_of(tab.get(CANCEL))
    chosen = tab.post(CHANGE, PLUS)
    assert "À payer maintenant" in text_of(tab.get(chosen["Location"]))


# --- others ---
def test_mallory_neither_sees_nor_does_anything_of_anas(subscribed, tab, account):
    chosen = tab.post(CHANGE, PLUS)["Location"]
    stranger = Client()
    stranger.force_login(cast.mallory())
    for answer in (stranger.get(chosen), stranger.post(chosen)):
        assert answer.status_code == 404
    assert stranger.post(f"/billing/invoices/{account.invoices.get().pk}/file/").status_code == 404
    for path in ("keep", "cancel", "resume"):
        stranger.post(f"/settings/plan/{path}/")
    assert PlanChange.objects.get().state == "offered"
    shop.look(account)
    assert (paid().plan_id, paid().cancel_at_period_end) == ("premium", False)


NOWHERE = "change/01990000-0000-7000-8000-000000000000/"


@pytest.mark.parametrize("path", ["change/", NOWHERE, "keep/", "cancel/", "resume/"])
def test_strangers_are_shown_the_door(db, path):
    answer = Client().post(f"/settings/plan/{path}")
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")
    assert not PlanChange.objects.exists()


@pytest.mark.parametrize("path", ["change/", "keep/", "cancel/", "resume/"])
def test_a_form_from_elsewhere_is_refused(subscribed, ana, path):
    foreign = Client(enforce_csrf_checks=True)
    foreign.force_login(ana)
    assert foreign.post(f"/settings/plan/{path}", PLUS).status_code == 403
    assert not PlanChange.objects.exists()


@pytest.mark.parametrize("path", ["keep/", "resume/"])
def test_looking_changes_nothing(subscribed, tab, path):
    assert tab.get(f"/settings/plan/{path}").status_code == 405
